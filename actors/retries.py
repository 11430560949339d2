"""The retry policy, as Dramatiq middleware whose schedule is the job's row."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

import asyncpg
import dramatiq
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import Middleware

from app.catalog.rates import NoRate
from app.core import clock, db, log
from app.core.backoff import Retry
from app.core.errors import Problem
from app.fulfillment.steps import TooEarly
from app.providers.http import ProviderDown, ProviderRefused
from app.providers.kinguin import InsufficientBalance
from app.queue import service as jobs
from app.queue.service import LEASE, Lease

AWAY = (*db.AWAY, OSError, asyncpg.InterfaceError)
UNMET = (InsufficientBalance, NoRate)  # waits for as long as it takes: for our balance, for the first exchange rate
AGAIN = 0.5  # seconds between attempts to reach a database that is away
# A person has to top our balance up, or a source has to answer: from seconds to five minutes between looks. The order,
# or that nothing is sold, stands on the admin's list meanwhile.
UNMET_WAIT = Retry(first=5, factor=2, longest=300)


class AttemptFailed(Exception):
    """One attempt at a job did not end well. Carries the lease, so that the policy can put the job back.

    ``away``: how long to wait for the provider it was about, where that one's breaker is open now.
    """

    def __init__(self, lease: Lease, retry: Retry, cause: Exception, away: timedelta | None = None) -> None:
        super().__init__(f"{lease.name} attempt {lease.attempt}: {type(cause).__name__}")
        self.lease, self.retry, self.cause, self.away = lease, retry, cause, away


class RowRetries(Middleware):
    """Puts a failed job back for later, or buries it. The row says when; the delayed message only hurries it on."""

    @property
    def actor_options(self) -> set[str]:
        return {"throws"}

    def after_process_message(
        self, broker: dramatiq.Broker, message: Any, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        if isinstance(exception, AttemptFailed):
            thread = get_event_loop_thread()
            assert thread is not None
            thread.run_coroutine(decided(exception))


async def decided(failed: AttemptFailed) -> None:
    """Decide; again while the database is away, as long as the job is ours. Else it would wait for its lease to end."""
    deadline = clock.now() + LEASE
    while clock.now() < deadline:
        with contextlib.suppress(*AWAY):
            await decide(failed)
            return
        await asyncio.sleep(AGAIN)
    log.get("bitloot.jobs").error("job.undecided", job=failed.lease.name, job_id=str(failed.lease.id))


async def decide(failed: AttemptFailed) -> None:
    """Later or never: by what went wrong, and by how often it was tried."""
    lease, cause = failed.lease, failed.cause
    error = describe(cause)
    wait = pause(failed)
    if wait is None:
        await jobs.dead_letter(lease, error)
        return
    log.get("bitloot.jobs").warning(
        "job.later", job=lease.name, job_id=str(lease.id), attempt=lease.attempt, error=error, seconds=wait.seconds
    )
    await jobs.reschedule(lease, error, wait, forgive=forgiven(failed))


def forgiven(failed: AttemptFailed) -> bool:
    """Whether the attempt does not count: the provider is away for all, or it waits for what is UNMET."""
    return failed.away is not None or isinstance(failed.cause, UNMET)


def pause(failed: AttemptFailed) -> timedelta | None:
    """How long to wait before the next attempt; None for never."""
    cause, attempt = failed.cause, failed.lease.tries
    if failed.away is not None:
        return failed.away
    if isinstance(cause, UNMET):
        return UNMET_WAIT.wait(failed.lease.attempt)
    if attempt >= failed.retry.attempts or _hopeless(cause):
        return None
    if isinstance(cause, TooEarly):
        return cause.wait
    wait = failed.retry.wait(attempt)
    if isinstance(cause, ProviderDown) and cause.retry_after is not None:
        return max(wait, timedelta(seconds=min(cause.retry_after, failed.retry.longest)))
    return wait


def _hopeless(cause: Exception) -> bool:
    """A provider's plain no, which no waiting heals."""
    return isinstance(cause, ProviderRefused | Problem)


def describe(cause: Exception) -> str:
    """What is kept of an error. A provider's and our own words are safe; anything else might hold data, so its
    type alone is kept here, and the log has where it was raised."""
    if isinstance(cause, ProviderDown | ProviderRefused | Problem):
        return f"{type(cause).__name__}: {cause}"
    if isinstance(cause, TooEarly):
        return cause.why
    return type(cause).__name__
