"""@job: an actor that claims its row, does the work, and ends the row; what fails goes to the retry policy."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import dramatiq

from actors.broker import broker, kit
from app.core import call_recorder, log
from app.providers.kit import Providers
from app.queue import circuit_breaker
from app.queue import service as jobs
from app.queue.aliases import ALIASES
from app.queue.backoff import Retry
from app.queue.producer import queue_of
from app.queue.retry_policy import AttemptFailed
from app.queue.service import Lease, LeaseLost

Work = Callable[[Lease, Providers], Awaitable[None]]

JOBS: dict[str, tuple[Work, Retry]] = {}
"""Every job by name, with its retry schedule."""

Needs = Callable[[Lease, Providers], Awaitable[tuple[str, ...]]]

NEEDS: dict[str, tuple[str, ...] | Needs] = {}
"""Providers without which a job can't be worked on, or who tells which those are, by the job's name."""


def job(
    name: str,
    *,
    retry: Retry = Retry(),  # noqa: B008 - frozen
    needs: tuple[str, ...] | Needs = (),
) -> Callable[[Work], Work]:
    """Register ``work`` as the actor ``name``. The message carries nothing but the job's id.

    While the breaker of a provider in ``needs`` is open the job waits, which uses up none of its attempts.
    """

    def register(work: Work) -> Work:
        async def actor(job_id: str) -> None:
            await attempt(UUID(job_id), kit())

        options: dict[str, Any] = {"throws": AttemptFailed}
        for known in [name, *([ALIASES[name]] if name in ALIASES else [])]:
            JOBS[known], NEEDS[known] = (work, retry), needs
            dramatiq.actor(actor_name=known, queue_name=queue_of(known), broker=broker, **options)(actor)
        return work

    return register


async def _needs(lease: Lease, providers: Providers) -> tuple[str, ...]:
    """What this very job needs. Arguments that can't be read need nothing: the work itself says what is wrong."""
    needs = NEEDS[lease.name]
    try:
        return needs if isinstance(needs, tuple) else await needs(lease, providers)
    except (LookupError, ValueError):
        return ()


async def attempt(job_id: UUID, providers: Providers) -> bool:
    """One attempt at one job, or its wait for a provider. False if it was not there to be had. Raises AttemptFailed."""
    lease = await jobs.claim(job_id)
    if lease is None:
        return False
    work, retry = JOBS[lease.name]
    with log.bound(job=lease.name, job_id=str(job_id), order_id=str(lease.subject) if lease.subject else None):
        needs = await _needs(lease, providers)
        if await circuit_breaker.defer_if_open(lease, needs):
            return True
        with call_recorder.recording() as made:
            try:
                await work(lease, providers)
                await jobs.finish(lease)
            except LeaseLost:
                log.get("bitloot.jobs").warning("job.lease_lost")
            except Exception as cause:
                log.get("bitloot.jobs").info("job.failed", error=type(cause).__name__, exc_info=True)
                wait = await circuit_breaker.report(lease, needs, made, cause, providers.answers)
                raise AttemptFailed(lease, retry, cause, wait) from cause
        await circuit_breaker.report(lease, needs, made, None, providers.answers)
    return True
