"""Between a job and the provider it needs stands the provider's breaker: a job that finds it open waits, unharmed."""

import functools
import random
from datetime import timedelta

from app.breakers import circuit_breaker, queries
from app.core import clock, log
from app.fulfillment import outage_timeline
from app.providers.errors import ApiKeyRejected, ProviderDown, ProviderError, ProviderProtocolError
from app.providers.kinguin import ResourceLocked
from app.providers.kit import Providers
from app.queue import service as jobs
from app.queue.service import Lease

CROWD = 1.0  # seconds over which those who wait for one provider come back
FORGIVING = timedelta(days=1)


async def held(lease: Lease, needs: tuple[str, ...]) -> bool:
    """Whether the job was put back because a provider it needs is away. Its order's timeline tells."""
    for number, provider in enumerate(needs):
        if not await circuit_breaker.allow(provider):
            for probed in needs[:number]:
                await _hand_on(probed)
            standing = await queries.standing(provider)
            log.get("bitloot.jobs").info("job.held", provider=provider)
            if lease.subject is not None:
                await outage_timeline.begin(lease.subject, provider)
            await jobs.defer(lease, f"waits: {provider} is away ({standing.why})", await back_in(provider))
            return True
        if lease.subject is not None and lease.tries < lease.attempt:
            tell = outage_timeline.end if (await queries.standing(provider)).closed else outage_timeline.probe
            await tell(lease.subject, provider)
    return False


async def report(
    lease: Lease, needs: tuple[str, ...], made: dict[str, str], error: Exception | None, providers: Providers
) -> timedelta | None:
    """Tell the breakers what an attempt saw of each provider. Returns how long to wait where one is open now.

    A job that a provider fails for a day is at fault itself: its attempts count again, so that it reaches a person.
    """
    wait = None
    for provider in needs:
        if isinstance(error, ProviderError) and error.provider == provider and _away(error):
            if await _failed(lease, error, providers):
                # Behind those who have waited: the next probe is theirs, lest what fails for ever takes every one.
                wait = await back_in(provider) + timedelta(seconds=CROWD)
                if lease.subject is not None:
                    await outage_timeline.begin(lease.subject, provider)
            if lease.posted_at is not None and clock.now() - lease.posted_at > FORGIVING:
                wait = None
            continue
        await (circuit_breaker.succeeded(provider) if provider in made else _hand_on(provider))
        if (await queries.standing(provider)).closed and lease.subject is not None and lease.tries < lease.attempt:
            await outage_timeline.end(lease.subject, provider)
    return wait


async def _failed(lease: Lease, error: ProviderError, providers: Providers) -> bool:
    return await circuit_breaker.failed(
        error.provider,
        f"{type(error).__name__}: {error}",
        about=str(lease.subject or lease.name),
        at_once=isinstance(error, ApiKeyRejected),
        well=functools.partial(providers.answers, error.provider),
    )


async def _hand_on(provider: str) -> None:
    """Whatever probe this job had is another's: it did not ask the provider."""
    if not (await queries.standing(provider)).closed:
        await circuit_breaker.release(provider)


def _away(error: ProviderError) -> bool:
    """A refusal is an answer, as is a locked resource; but when our key is refused, no order can be worked on."""
    return isinstance(error, ProviderDown | ProviderProtocolError | ApiKeyRejected) and not isinstance(
        error, ResourceLocked
    )


async def back_in(provider: str) -> timedelta:
    spread = timedelta(seconds=random.uniform(0, CROWD))  # noqa: S311 - spread, not secrecy
    return await circuit_breaker.pause(provider) + spread
