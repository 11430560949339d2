"""Old, finished jobs are forgotten; dead letters and their attempts never are."""

from datetime import timedelta

from app.core import clock, db

KEPT = timedelta(days=30)  # finished jobs, for the admin's list
AT_ONCE = 5000  # rows a run


async def forget_finished() -> int:
    """Delete jobs that completed more than KEPT ago. Returns how many."""
    rows = await db.fetch(
        """WITH old AS (SELECT id FROM job WHERE status = 'completed' AND ended_at < $1 LIMIT $2),
             tries AS (DELETE FROM job_attempt WHERE job_id IN (SELECT id FROM old))
           DELETE FROM job WHERE id IN (SELECT id FROM old) RETURNING id""",
        clock.now() - KEPT, AT_ONCE,
    )  # fmt: skip
    return len(rows)
