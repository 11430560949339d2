"""When a failed job is tried again, and when it is a dead letter: by what its error says of itself (``protocols``)."""

from datetime import timedelta

from app.core import log
from app.queue import service as jobs
from app.queue.backoff import Retry
from app.queue.protocols import Permanent, ProviderUnavailable, RetryLater, SafeText
from app.queue.service import Lease

# What is waited for needs a person or another source: from seconds to five minutes between looks. The order, or that
# nothing is sold, is an open issue meanwhile.
UNCOUNTED_WAIT = Retry(first=5, factor=2, longest=300)


class AttemptFailed(Exception):
    """One attempt at a job did not end well. Carries the lease, so that the policy can put the job back.

    ``away``: how long to wait for the provider it was about, where that one's breaker is open now.
    """

    def __init__(self, lease: Lease, retry: Retry, cause: Exception, away: timedelta | None = None) -> None:
        super().__init__(f"{lease.name} attempt {lease.attempt}: {type(cause).__name__}")
        self.lease, self.retry, self.cause, self.away = lease, retry, cause, away


async def decide(failed: AttemptFailed) -> None:
    """Put the job back, or make it a dead letter: by what went wrong, and by how often it was tried."""
    lease, error = failed.lease, describe(failed.cause)
    wait = pause(failed)
    if wait is None:
        await jobs.dead_letter(lease, error)
        return
    log.get("bitloot.jobs").warning(
        "job.later", job=lease.name, job_id=str(lease.id), attempt=lease.attempt, error=error, seconds=wait.seconds
    )
    await jobs.reschedule(lease, error, wait, counts=counts(failed))


def counts(failed: AttemptFailed) -> bool:
    """Whether the attempt is one of the job's: not where the provider is away for all, or its error says otherwise."""
    return failed.away is None and not _uncounted(failed.cause)


def pause(failed: AttemptFailed) -> timedelta | None:
    """How long to wait before the next attempt; None for never."""
    cause, attempt = failed.cause, failed.lease.tries
    if failed.away is not None:
        return failed.away
    if _uncounted(cause):
        return UNCOUNTED_WAIT.wait(failed.lease.attempt)
    if attempt >= failed.retry.attempts or (isinstance(cause, Permanent) and cause.permanent):
        return None
    if isinstance(cause, RetryLater) and cause.retry_in is not None:
        return cause.retry_in
    wait = failed.retry.wait(attempt)
    if isinstance(cause, ProviderUnavailable) and cause.retry_after is not None:
        return max(wait, timedelta(seconds=min(cause.retry_after, failed.retry.longest)))
    return wait


def describe(cause: Exception) -> str:
    """What is kept of an error: its words where they are safe, else its type alone. The log has where it was raised."""
    if isinstance(cause, RetryLater):
        return cause.why
    if isinstance(cause, SafeText) and cause.safe_text:
        return f"{type(cause).__name__}: {cause}"
    return type(cause).__name__


def _uncounted(cause: Exception) -> bool:
    return isinstance(cause, RetryLater) and not cause.counts
