"""Posting, claiming, finishing, retrying and burying jobs.

A worker holds a job by a lease: one conditional UPDATE gives it, and the job ends only in a transaction that still
finds the lease's attempt number in place. So a doubled message, a lost one, or a worker that comes back from the
dead changes nothing.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from app.core import clock, db, log
from app.core.db import Write, encode
from app.core.errors import Conflict
from app.core.ids import new_id
from app.queue import producer, worker_liveness
from app.queue.error_causes import cause_of
from app.queue.hooks import hooks
from app.queue.models import ClaimedJob, SameWork, SentJob

LEASE = timedelta(seconds=60)  # longer than the slowest step: two provider calls of 20 s each, and room
ERROR_LENGTH = 2000  # characters of an error's text that are kept
INSERT = """INSERT INTO job (id, name, queue, dedupe, args, subject, status, run_at, created_at)
  VALUES ($1, $2, $3, $4, $5::jsonb, $6, 'pending', coalesce($7::timestamptz, statement_timestamp()) + $8::interval,
    coalesce($7::timestamptz, statement_timestamp()))"""
EARLY = timedelta(milliseconds=50)  # a message may arrive this much before its row is due


class JobNotFailed(Conflict):
    title = "Only a failed job can be retried"


class LeaseLost(Exception):
    """The lease ran out and somebody else holds the job now; whatever was done in this transaction is undone."""


@dataclass(frozen=True, slots=True)
class Posting:
    """A job that is about to be written."""

    id: UUID
    write: Write


@dataclass
class Lease:
    """The right to work on one job, once. ``attempt`` counts all there ever were, from 1; ``tries`` those that count:
    since a person last sent the job round, and not uncounted_attempts. ``posted_at``: when the job was made."""

    id: UUID
    name: str
    args: Mapping[str, Any]
    subject: UUID | None
    attempt: int
    tries: int
    done: bool = field(default=False)
    posted_at: datetime | None = None

    @asynccontextmanager
    async def commit(self) -> AsyncIterator[None]:
        """The transaction in which the work takes effect and the job ends: both or neither.

        Raises LeaseLost, rolling everything back, if the lease was taken back meanwhile.
        """
        async with db.transaction():
            yield
            await _complete(self)
        self.done = True

    async def progress(self, percent: int) -> None:
        """Say how far the work is, 0 to 100."""
        await db.fetch("UPDATE job SET progress = $3 WHERE id = $1 AND attempt = $2", self.id, self.attempt, percent)


def posting(
    name: str,
    args: Mapping[str, Any],
    *,
    subject: UUID | None = None,
    dedupe: str | None = None,
    wait: timedelta | None = None,
) -> Posting:
    """A job as a write, to be run together with what makes it necessary. With ``dedupe``, none may be pending yet."""
    job_id = new_id()
    write = Write(
        INSERT,
        (job_id, name, producer.queue_of(name), dedupe, encode(args), subject, clock.given(), wait or timedelta()),
        after=lambda: producer.send(job_id, name, delay=wait.total_seconds() if wait else 0),
    )
    return Posting(job_id, write)


async def post(
    name: str,
    args: Mapping[str, Any],
    *,
    subject: UUID | None = None,
    dedupe: str | None = None,
    wait: timedelta | None = None,
) -> UUID | None:
    """Insert a job in the surrounding transaction; its message leaves after the commit.

    Returns the job's id, or None when a pending job with the same ``dedupe`` stands already.
    """
    job_id: UUID | None = await db.fetch_value(
        f"{INSERT} ON CONFLICT (dedupe) WHERE status = 'pending' AND dedupe IS NOT NULL DO NOTHING RETURNING id",
        new_id(), name, producer.queue_of(name), dedupe, encode(args), subject, clock.given(), wait or timedelta(),
    )  # fmt: skip
    if job_id is not None:
        producer.send(job_id, name, delay=wait.total_seconds() if wait else 0)
    return job_id


async def claim(job_id: UUID) -> Lease | None:
    """Take a due, pending job. None when somebody has it, it is done, or it is not due yet."""
    row = await db.fetch_one_as(
        ClaimedJob,
        """UPDATE job SET status = 'processing', attempt = attempt + 1, lease_until = t.now + $3::interval, holder = $5
           FROM (SELECT coalesce($2::timestamptz, statement_timestamp()) AS now) t
           WHERE id = $1 AND status = 'pending' AND run_at <= t.now + $4::interval
           RETURNING id, name, args, subject, attempt, uncounted_attempts, created_at""",
        job_id, clock.given(), LEASE, EARLY, worker_liveness.holder(),
    )  # fmt: skip
    return _lease(row) if row else None


def _lease(job: ClaimedJob) -> Lease:
    tries = job.attempt - job.uncounted_attempts
    return Lease(job.id, job.name, job.args, job.subject, job.attempt, tries, posted_at=job.created_at)


async def finish(lease: Lease) -> None:
    """End a job whose work needed no transaction of its own."""
    if not lease.done:
        async with lease.commit():
            pass


async def _complete(lease: Lease) -> None:
    ended = await db.fetch_value(
        """UPDATE job SET status = 'completed', progress = 100, lease_until = NULL, error = NULL,
             ended_at = coalesce($3::timestamptz, statement_timestamp())
           WHERE id = $1 AND status = 'processing' AND attempt = $2 RETURNING id""",
        lease.id, lease.attempt, clock.given(),
    )  # fmt: skip
    if ended is None:
        raise LeaseLost(f"{lease.name} {lease.id}")


async def reschedule(lease: Lease, error: str, wait: timedelta, *, counts: bool = True) -> bool:
    """Put a job back for another attempt after ``wait``, keeping this attempt's error. False if the lease is lost.

    ``counts``: False where the job is not at fault, so that the attempt is none of its own.
    """
    return await _put_back(lease, error, wait, uncounted_attempts=int(not counts), tried=True)


async def defer(lease: Lease, why: str, wait: timedelta) -> bool:
    """Put a job back that was not tried at all, as what it needs is away. False if the lease is lost."""
    return await _put_back(lease, why, wait, uncounted_attempts=1, tried=False)


async def _put_back(lease: Lease, error: str, wait: timedelta, *, uncounted_attempts: int, tried: bool) -> bool:
    try:
        return await _pend(lease, error, wait, uncounted_attempts, tried)
    except asyncpg.UniqueViolationError:
        # Its twin was put back in the same moment, each unseen by the other; now it is seen.
        return await _pend(lease, error, wait, uncounted_attempts, tried)


async def _pend(lease: Lease, error: str, wait: timedelta, uncounted_attempts: int, tried: bool) -> bool:
    async with db.transaction():
        row = await db.fetch_one(
            """UPDATE job SET status = 'pending', lease_until = NULL, error = $4,
              uncounted_attempts = uncounted_attempts + $5,
               run_at = coalesce($3::timestamptz, statement_timestamp()) + $6::interval,
               dedupe = CASE WHEN EXISTS (SELECT FROM job o WHERE o.dedupe = job.dedupe AND o.status = 'pending')
                        THEN NULL ELSE dedupe END
               WHERE id = $1 AND status = 'processing' AND attempt = $2 RETURNING id""",
            lease.id, lease.attempt, clock.given(), error[:ERROR_LENGTH], uncounted_attempts, wait,
        )  # fmt: skip
        if row is None:
            return False
        if tried:
            await _record(lease.id, lease.attempt, "failed", error)
        producer.send(lease.id, lease.name, delay=wait.total_seconds())
    return True


async def dead_letter(lease: Lease, error: str) -> bool:
    """Give a job up: it waits, with all its attempts, for a person. False if the lease is lost."""
    cause = cause_of(error)
    async with db.transaction():
        row = await db.fetch_one(
            """UPDATE job SET status = 'failed', lease_until = NULL, error = $3, cause = $5, ended_at = $4
               WHERE id = $1 AND status = 'processing' AND attempt = $2 RETURNING id""",
            lease.id, lease.attempt, error[:ERROR_LENGTH], clock.now(), cause,
        )  # fmt: skip
        if row is None:
            return False
        await _record(lease.id, lease.attempt, "failed", error)
        await _merge_duplicate(lease.id)
    log.get("bitloot.jobs").error("job.buried", job=lease.name, job_id=str(lease.id), error=error[:ERROR_LENGTH])
    if lease.subject is not None:
        await hooks.on_dead_letter(lease.subject, lease.name)
    return True


async def _merge_duplicate(job_id: UUID) -> None:
    """A dead letter of the same work gives its attempts to the newer one: a person is told of one piece of work once.

    Sweeps post the same question again and again, and each could die of the same cause.
    """
    old = await db.fetch_one_as(
        SameWork,
        """SELECT o.id, o.attempt FROM job o JOIN job j ON j.id = $1
           WHERE o.status = 'failed' AND o.id <> j.id AND o.name = j.name AND o.args = j.args
             AND o.subject IS NOT DISTINCT FROM j.subject ORDER BY o.id LIMIT 1 FOR UPDATE OF o""",
        job_id,
    )
    if old is None:
        return
    before = old.attempt
    await db.fetch("UPDATE job_attempt SET number = number + $2 WHERE job_id = $1", job_id, before)
    await db.fetch("UPDATE job_attempt SET job_id = $1 WHERE job_id = $2", job_id, old.id)
    await db.fetch(
        "UPDATE job SET attempt = attempt + $2, uncounted_attempts = uncounted_attempts + $2 WHERE id = $1",
        job_id,
        before,
    )
    await db.fetch("DELETE FROM job WHERE id = $1", old.id)


async def _record(job_id: UUID, number: int, outcome: str, said: str) -> None:
    await db.fetch(
        "INSERT INTO job_attempt (job_id, number, ended_at, outcome, error) VALUES ($1, $2, $3, $4, $5)",
        job_id, number, clock.now(), outcome, said[:ERROR_LENGTH],
    )  # fmt: skip


async def retry(job_id: UUID, *, by: str = "somebody") -> None:
    """Send a dead letter round again, with its history. Raises JobNotFailed if it is not one."""
    if not await retry_all([job_id], by=by):
        raise JobNotFailed("This job has not failed, or someone has retried it already.")


async def retry_all(job_ids: Sequence[UUID], *, by: str) -> list[UUID]:
    """Send those of these that are dead letters round again; who did it stands beside their attempts. Returns which."""
    async with db.transaction():
        rows = await db.fetch_as(
            SentJob,
            """UPDATE job SET status = 'pending', run_at = $2, ended_at = NULL, dedupe = NULL,
              uncounted_attempts = attempt,
               cause = NULL WHERE id = ANY($1) AND status = 'failed' RETURNING id, name, attempt""",
            list(job_ids), clock.now(),
        )  # fmt: skip
        for row in rows:
            await _record(row.id, row.attempt, "retried", f"retried by {by}")
            producer.send(row.id, row.name)
    return [row.id for row in rows]


async def reclaim_expired(allowed: Mapping[str, int], *, silent: bool = True) -> int:
    """Take jobs from workers that have gone or died, or whose lease ran out.

    ``allowed`` gives attempts per job name; what has used them up is buried. ``silent``: whether a worker that gives no
    sign of life may be taken for dead, see ``worker_liveness``. Returns how many were taken back.
    """
    rows = await db.fetch_as(
        ClaimedJob,
        """SELECT id, name, args, subject, attempt, uncounted_attempts, created_at
           FROM job, (SELECT coalesce($1::timestamptz, statement_timestamp()) AS now) t WHERE status = 'processing'
           AND (lease_until < t.now OR holder IS NOT NULL AND NOT EXISTS (
             SELECT FROM process p WHERE p.id = holder AND (NOT $2 OR p.seen_at > t.now - $3::interval)))
           ORDER BY id LIMIT 500""",
        clock.given(), silent, worker_liveness.DEAD,
    )  # fmt: skip
    for row in rows:
        lease = _lease(row)
        gone = "the worker stopped answering"
        if lease.tries >= allowed.get(lease.name, 5):
            await dead_letter(lease, gone)
        else:
            await reschedule(lease, gone, timedelta())
    return len(rows)


async def due(since: datetime, limit: int) -> list[tuple[UUID, str]]:
    """Pending jobs that were due at ``since``: their message was lost or is slow; sending it again does no harm."""
    rows = await db.fetch_as(
        SentJob,
        "SELECT id, name, attempt FROM job WHERE status = 'pending' AND run_at <= $1 ORDER BY run_at LIMIT $2",
        since,
        limit,
    )
    return [(row.id, row.name) for row in rows]
