"""Old, finished jobs are forgotten; dead letters and their attempts never are. How rows are deleted by their age."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from app.core import clock, db

KEPT = timedelta(days=30)  # finished jobs, for the admin's list
AT_ONCE = 5000  # rows a batch, which is a transaction
ROOM = 30.0  # seconds of one job's sweeping: half a lease
Sweep = Callable[[], Awaitable[int]]  # deletes one batch and returns how many rows it held


async def sweep(sweeps: Sequence[Sweep], *, room: float = ROOM) -> bool:
    """Run each of ``sweeps`` again until it finds nothing more. False when ``room`` in seconds was not enough.

    They take turns, so that one with a million rows holds no other up.
    """
    loop = asyncio.get_running_loop()
    end, rest = loop.time() + room, list(sweeps)
    while rest:
        rest = [one for one in rest if await one()]
        if rest and loop.time() >= end:
            return False
    return True


async def forget_finished() -> int:
    """Delete a batch of jobs that completed more than KEPT ago. Returns how many."""
    rows = await db.fetch(
        """WITH old AS (SELECT id FROM job WHERE status = 'completed' AND ended_at < $1 ORDER BY ended_at LIMIT $2),
             tries AS (DELETE FROM job_attempt WHERE job_id = ANY(ARRAY(SELECT id FROM old)))
           DELETE FROM job WHERE id = ANY(ARRAY(SELECT id FROM old)) RETURNING id""",
        clock.now() - KEPT, AT_ONCE,
    )  # fmt: skip
    return len(rows)
