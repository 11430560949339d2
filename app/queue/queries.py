"""Reading jobs: for status answers, the admin's lists and the metrics."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.core import clock, db
from app.queue.models import DeadGroup, DeadLetter, Job, JobHistory, JobProgress, ListedJob
from app.queue.states import JobStatus

COUNTED = 10_000  # jobs of a state that are counted at the most


async def status(job_id: UUID) -> JobProgress | None:
    return await db.fetch_one_as(
        JobProgress, "SELECT id, status, progress, error, subject FROM job WHERE id = $1", job_id
    )


async def ages(names: Sequence[str]) -> dict[str, float]:
    """Seconds since the last job of each name was posted; those that never were are left out."""
    rows = await db.fetch("SELECT name, max(created_at) AS at FROM job WHERE name = ANY($1) GROUP BY name", names)
    return {row["name"]: (clock.now() - row["at"]).total_seconds() for row in rows}


async def dead_for(subject: UUID) -> list[str]:
    """Names of the subject's dead letters: work that now waits for a person."""
    rows = await db.fetch("SELECT name FROM job WHERE subject = $1 AND status = 'failed'", subject)
    return [row["name"] for row in rows]


async def page(
    *, status: str | None, limit: int, offset: int, name: str | None = None, without: Sequence[str] = ()
) -> list[ListedJob]:
    """Jobs, the newest first: of a status, of a name, and none whose name is in ``without``.

    Ids are made in time order, so the primary key gives the order without a sort.
    """
    return await db.fetch_as(
        ListedJob,
        """SELECT id, name, status, attempt, run_at, error, subject, created_at, ended_at FROM job
           WHERE ($1::text IS NULL OR status = $1) AND ($4::text IS NULL OR name = $4) AND NOT name = ANY($5::text[])
           ORDER BY id DESC LIMIT $2 OFFSET $3""",
        status, limit, offset, name, list(without),
    )  # fmt: skip


async def of_subject(subject: UUID) -> list[Job]:
    return await db.fetch_as(Job, "SELECT * FROM job WHERE subject = $1 ORDER BY created_at", subject)


async def one(job_id: UUID) -> JobHistory | None:
    """A job with its failed ``attempts``, and its ``retries``: who sent it round, and when."""
    row = await db.fetch_one("SELECT * FROM job WHERE id = $1", job_id)
    if row is None:
        return None
    lines = await db.fetch(
        "SELECT number, ended_at, outcome, error FROM job_attempt WHERE job_id = $1 ORDER BY number, id",
        job_id,
    )
    attempts = [dict(line) for line in lines if line["outcome"] != "retried"]
    retries = [dict(line) for line in lines if line["outcome"] == "retried"]
    return db.as_model(JobHistory, {**row, "attempts": attempts, "retries": retries})


async def causes() -> list[DeadGroup]:
    """Dead letters by what they died of, the newest trouble first."""
    return await db.fetch_as(
        DeadGroup,
        """SELECT name, coalesce(cause, '') AS cause, count(*) AS count, min(ended_at) AS oldest,
             max(ended_at) AS newest
           FROM job WHERE status = 'failed' GROUP BY 1, 2 ORDER BY newest DESC""",
    )


async def dead(
    *, name: str | None = None, cause: str | None = None, ids: Sequence[UUID] | None = None, limit: int = 200
) -> list[DeadLetter]:
    """Dead letters with their arguments, the oldest first: of a name, of a cause, among ``ids``, or all."""
    return await db.fetch_as(
        DeadLetter,
        """SELECT id, name, args, subject, attempt, error, cause, created_at, ended_at, status, run_at FROM job
           WHERE status = 'failed' AND ($1::text IS NULL OR name = $1)
             AND ($2::text IS NULL OR coalesce(cause, '') = $2) AND ($3::uuid[] IS NULL OR id = ANY($3))
           ORDER BY ended_at, id LIMIT $4""",
        name, cause, None if ids is None else list(ids), limit,
    )  # fmt: skip


async def counts() -> dict[str, int]:
    """How many jobs there are in each state, ``COUNTED`` at the most: a count of all would grow with the shop."""
    each = "SELECT '{0}' AS status, count(*) AS n FROM (SELECT FROM job WHERE status = '{0}' LIMIT {1}) AS found"
    rows = await db.fetch(" UNION ALL ".join(each.format(status, COUNTED) for status in JobStatus))
    return {row["status"]: row["n"] for row in rows if row["n"]}


async def oldest_due() -> float:
    """How many seconds the oldest due job has been waiting; 0 when none is."""
    found: datetime | None = await db.fetch_value(
        "SELECT min(run_at) FROM job WHERE status = 'pending' AND run_at <= $1", clock.now()
    )
    return (clock.now() - found).total_seconds() if found else 0.0
