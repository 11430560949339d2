"""Between a job and the provider it needs stands the provider's breaker: a job that finds it open waits, unharmed."""

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta

from app.core import clock, log
from app.queue import breaker_queries, breakers
from app.queue import service as jobs
from app.queue.hooks import hooks
from app.queue.protocols import ProviderUnavailable
from app.queue.service import Lease

SPREAD = 1.0  # seconds over which those who wait for one provider come back
LONGEST_FREE_WAIT = timedelta(days=1)  # a job that its provider fails for longer is at fault itself

Answers = Callable[[str], Awaitable[bool]]
"""Asks a provider, by its name, something simple: whether it answers."""


async def defer_if_open(lease: Lease, needs: tuple[str, ...]) -> bool:
    """Put the job back if a provider in ``needs`` is away; whether it was. None of its attempts is used up."""
    for number, provider in enumerate(needs):
        if not await breakers.allow(provider):
            for probed in needs[:number]:
                await release_probe(probed)
            standing = await breaker_queries.standing(provider)
            log.get("bitloot.jobs").info("job.deferred", provider=provider)
            if lease.subject is not None:
                await hooks.on_wait(lease.subject, provider)
            await jobs.defer(lease, f"waits: {provider} is away ({standing.why})", await retry_after(provider))
            return True
        if lease.subject is not None and lease.tries < lease.attempt:
            closed = (await breaker_queries.standing(provider)).closed
            await (hooks.on_resume if closed else hooks.on_probe)(lease.subject, provider)
    return False


async def report(
    lease: Lease, needs: tuple[str, ...], made: dict[str, str], error: Exception | None, answers: Answers
) -> timedelta | None:
    """Tell the breakers what an attempt saw of each provider in ``needs``. How long to wait, where one is open now.

    ``made``: the outcome of its calls by provider. ``error``: what the attempt ended with. After a day of failures the
    job's attempts count again, so that it reaches a person.
    """
    wait = None
    for provider in needs:
        if isinstance(error, ProviderUnavailable) and error.provider == provider and error.unavailable:
            if await _failed(lease, error, answers):
                # A job that always fails must not use up every probe, so it queues behind those that waited longer.
                wait = await retry_after(provider) + timedelta(seconds=SPREAD)
                if lease.subject is not None:
                    await hooks.on_wait(lease.subject, provider)
            if lease.posted_at is not None and clock.now() - lease.posted_at > LONGEST_FREE_WAIT:
                wait = None
            continue
        await (breakers.succeeded(provider) if provider in made else release_probe(provider))
        if (await breaker_queries.standing(provider)).closed and lease.subject and lease.tries < lease.attempt:
            await hooks.on_resume(lease.subject, provider)
    return wait


async def _failed(lease: Lease, error: ProviderUnavailable, answers: Answers) -> bool:
    async def well() -> bool:
        return await answers(error.provider)

    return await breakers.failed(
        error.provider,
        f"{type(error).__name__}: {error}",
        about=str(lease.subject or lease.name),
        at_once=error.trips_at_once,
        well=well,
    )


async def release_probe(provider: str) -> None:
    """Give the probe back, if this job had it: it did not ask the provider."""
    if not (await breaker_queries.standing(provider)).closed:
        await breakers.release(provider)


async def retry_after(provider: str) -> timedelta:
    """How long a job waits for an open breaker, spread a little so that not all come back at once."""
    spread = timedelta(seconds=random.uniform(0, SPREAD))  # noqa: S311 - spread, not secrecy
    return await breakers.pause(provider) + spread
