"""The retry policy as a table: who waits how long, and who is given up at once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from actors.job import JOBS, attempt
from app.catalog.rates import NoRate
from app.core import clock
from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.fulfillment.steps import TooEarly
from app.mail import service as mail
from app.providers.errors import ProviderError
from app.providers.http import ApiKeyRejected, ProviderDown, ProviderProtocolError, ProviderRefused
from app.providers.kinguin import ResourceLocked
from app.providers.resend import QuotaExhausted
from app.queue import queries
from app.queue import service as jobs
from app.queue.backoff import Retry
from app.queue.retry_policy import AttemptFailed, decide, describe, pause
from app.queue.service import LEASE, Lease, LeaseLost
from app.suppliers.errors import InsufficientBalance, OrderNotFound
from tests.builders import EMAIL, claimed, count, job_names

RETRY = Retry(attempts=5, first=2, factor=3, longest=300)
NEVER = None


def fault(kind: type[ProviderError], **more: Any) -> ProviderError:
    return kind("provider", "call", "said so", **more)


def failed(cause: Exception, tries: int = 1, attempt: int = 40) -> AttemptFailed:
    """An attempt that failed: the fortieth of the job, the ``tries``-th since a person sent it round."""
    return AttemptFailed(Lease(new_id(), "mail.send", {}, None, attempt, tries), RETRY, cause)


TABLE: list[tuple[Exception, int, tuple[float, float] | None]] = [
    (fault(ProviderDown), 1, (1.5, 2.5)),
    (fault(ProviderDown), 2, (4.5, 7.5)),
    (fault(ProviderDown), 4, (40.5, 67.5)),
    (fault(ProviderDown), 5, NEVER),
    (fault(ProviderDown, retry_after=120), 1, (120, 120)),
    (fault(ProviderDown, retry_after=1), 4, (40.5, 67.5)),
    (fault(ProviderDown, retry_after=10**9), 1, (300, 300)),
    (fault(ProviderDown, retry_after=120), 5, NEVER),
    (fault(ResourceLocked, retry_after=1), 1, (1.5, 2.5)),
    (fault(QuotaExhausted, retry_after=3600), 1, (300, 300)),
    (fault(ProviderProtocolError), 1, (1.5, 2.5)),
    (fault(ProviderRefused), 1, NEVER),
    (fault(ApiKeyRejected), 1, NEVER),
    (fault(OrderNotFound), 1, NEVER),
    (fault(InsufficientBalance), 1, (225, 375)),
    (fault(InsufficientBalance), 5, (225, 375)),
    (NoRate(), 5, (225, 375)),
    (TooEarly(timedelta(seconds=13)), 1, (13, 13)),
    (TooEarly(timedelta(seconds=13)), 4, (13, 13)),
    (TooEarly(timedelta(seconds=13)), 5, NEVER),
    (Conflict("no"), 1, NEVER),
    (NotFound("no"), 1, NEVER),
    (ZeroDivisionError(), 1, (1.5, 2.5)),
    (ZeroDivisionError(), 5, NEVER),
]


@pytest.mark.parametrize(
    ("cause", "tries", "wait"), TABLE, ids=[f"{type(c).__name__} {n} {w and w[0]}" for c, n, w in TABLE]
)
def test_a_failure_waits(cause: Exception, tries: int, wait: tuple[float, float] | None) -> None:
    found = pause(failed(cause, tries))
    assert (found is None) == (wait is None)
    assert found is None or wait is None or wait[0] <= found.total_seconds() <= wait[1]


def test_of_an_unforeseen_error_only_its_type_is_kept() -> None:
    assert describe(ValueError("ABCD-EFGH-IJKL")) == "ValueError"
    assert describe(LeaseLost("x")) == "LeaseLost"
    assert "said so" in describe(fault(ProviderDown))
    assert describe(Conflict("Choose another coin.")) == "Conflict: Choose another coin."


async def test_what_waits_is_put_back_with_its_error_and_its_time(app) -> None:
    lease = await claimed()
    await decide(AttemptFailed(lease, RETRY, fault(ProviderDown, retry_after=60)))
    assert await jobs.claim(lease.id) is None
    with clock.travelled(timedelta(seconds=61)):
        assert await jobs.claim(lease.id) is not None
    found = await queries.one(lease.id)
    assert found is not None
    assert "said so" in found.error


async def test_what_is_hopeless_is_buried_at_the_first_attempt(app) -> None:
    lease = await claimed()
    await decide(AttemptFailed(lease, RETRY, fault(ProviderRefused)))
    found = await queries.one(lease.id)
    assert found is not None
    assert (found.status, len(found.attempts)) == ("failed", 1)


async def test_an_attempt_claims_works_and_ends_the_row(app, box) -> None:
    await mail.write("login_link", EMAIL, {"link_id": str(new_id())})
    ((job_id, _),) = await jobs.due(clock.now(), 5)
    assert await attempt(job_id, app.state.kit) is True
    assert await attempt(job_id, app.state.kit) is False
    assert await job_names("completed") == ["mail.send"]
    assert len(await box.mail()) == 1


async def test_of_five_messages_for_one_job_one_does_the_work(app, box) -> None:
    await mail.write("login_link", EMAIL, {"link_id": str(new_id())})
    ((job_id, _),) = await jobs.due(clock.now(), 5)
    assert sorted(await asyncio.gather(*(attempt(job_id, app.state.kit) for _ in range(5)))) == [False] * 4 + [True]
    assert len(await box.mail()) == 1


async def test_a_failing_attempt_says_which_job_and_changes_nothing_else(app, box) -> None:
    mail_id = await mail.write("login_link", EMAIL, {"link_id": str(new_id())})
    ((job_id, _),) = await jobs.due(clock.now(), 5)
    await box.fault("resend", "error500", count=1)
    with pytest.raises(AttemptFailed) as stopped:
        await attempt(job_id, app.state.kit)
    assert (stopped.value.lease.id, type(stopped.value.cause)) == (job_id, ProviderDown)
    assert await count("mail", f"status = 'pending' AND id = '{mail_id}'") == 1


async def test_a_job_nobody_knows_any_more_ends_as_a_dead_letter_not_in_a_circle(app) -> None:
    """An old release posted it, and the new one has dropped its actor."""
    job_id = await jobs.post("gone.verb", {})
    assert job_id is not None
    for number in range(6):
        with clock.travelled((LEASE + timedelta(seconds=1)) * number):
            await jobs.reclaim_expired({name: retry.attempts for name, (_, retry) in JOBS.items()})
            await asyncio.gather(attempt(job_id, app.state.kit), return_exceptions=True)
    assert await job_names("failed") == ["gone.verb"]


def test_letters_are_given_up_before_the_provider_forgets_their_key() -> None:
    """After 24 hours the same idempotency key would send a second mail (resend.md, 4)."""
    _, retry = JOBS["mail.send"]
    longest = sum(min(retry.first * retry.factor**n, retry.longest) * 1.25 for n in range(retry.attempts - 1))
    assert longest < timedelta(hours=23).total_seconds()
