"""Opening, probing and closing breakers. None of these raises because its table can't be used, and none is called in a
transaction: what a provider did is true whatever becomes of the work."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from app.core import clock, db, log, metrics
from app.queue import breaker_queries
from app.queue.breaker_queries import BROKEN, WELL, BreakerStatus
from app.queue.breaker_states import MOVES, BreakerState

FAILURES = 5  # in a row that open a breaker: a provider's single bad answers don't
ROW = timedelta(seconds=60)  # a failure longer after the last one begins a new row
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(seconds=30)  # between probes
PROBE = timedelta(seconds=60)  # as long as a job's lease: a probe whose worker died is given to another
BETWEEN_LOOKS = timedelta(seconds=2)  # while somebody probes

T = TypeVar("T")


async def allow(provider: str) -> bool:
    """Whether work for this provider may go on. Where a probe is due, one caller of all gets True."""
    standing = await breaker_queries.standing(provider)
    if standing.closed:
        return True
    if standing.probe_at is not None and standing.probe_at > clock.now():
        return False
    return await _safely(provider, lambda: _take_probe(provider), instead=True)


async def pause(provider: str) -> timedelta:
    """How long work that was not allowed waits before it asks again."""
    standing = await breaker_queries.standing(provider)
    if standing.state != BreakerState.OPEN or standing.probe_at is None:
        return BETWEEN_LOOKS
    return max(standing.probe_at - clock.now(), timedelta())


async def _never() -> bool:
    return False


async def failed(
    provider: str, why: str, *, about: str = "", at_once: bool = False, well: Callable[[], Awaitable[bool]] = _never
) -> bool:
    """A call found the provider away. Returns whether work now waits.

    ``about``: the piece of work it was for. Where all failures in a row are about one, that one may be at fault, and
    must not stop the others: ``well`` is awaited then, and True from it is an answer like any other, which ends the
    row. ``at_once``: no second opinion is needed.
    """

    def counted(before: BreakerStatus) -> BreakerStatus:
        return after_failure(before, why, clock.now(), about=about, at_once=at_once)

    after = await _safely(provider, lambda: _change(provider, counted), instead=WELL)
    if doubtful(after):
        answers = await well()

        def settled(before: BreakerStatus) -> BreakerStatus:
            if not doubtful(before):
                return before
            return WELL if answers else opened(before, clock.now())

        after = await _safely(provider, lambda: _change(provider, settled), instead=WELL)
    return not after.closed


async def succeeded(provider: str) -> None:
    """The provider answered, be it with a refusal. Costs nothing while it is well."""
    standing = await breaker_queries.standing(provider)
    if standing.failures or not standing.closed:
        await _safely(provider, lambda: _change(provider, after_success), instead=WELL)


async def release(provider: str) -> None:
    """Whoever had the probe did not need the provider after all: the next one may have it at once."""

    def next_standing(before: BreakerStatus) -> BreakerStatus:
        probing = before.state == BreakerState.HALF_OPEN
        return replace(before, state=BreakerState.OPEN, probe_at=clock.now()) if probing else before

    await _safely(provider, lambda: _change(provider, next_standing), instead=WELL)


def after_failure(
    before: BreakerStatus, why: str, now: datetime, *, about: str = "", at_once: bool = False
) -> BreakerStatus:
    """Pure. Counts it, and opens once enough have failed about different work."""
    in_row = before.updated_at is not None and now - before.updated_at < ROW
    failures = before.failures + 1 if in_row or not before.closed else 1
    alone = about if failures == 1 or about == before.about else ""
    after = replace(before, failures=failures, why=why[:200], about=alone)
    if before.state == BreakerState.OPEN or (before.closed and not at_once and (failures < FAILURES or alone)):
        return after
    return opened(after, now)


def doubtful(standing: BreakerStatus) -> bool:
    """Pure. Enough failures to open it, but for their being all about one piece of work."""
    return standing.closed and standing.failures >= FAILURES


def opened(before: BreakerStatus, now: datetime) -> BreakerStatus:
    """Pure. The pause between probes grows with how long the provider has been away."""
    since = before.opened_at or now
    wait = min(max(now - since, FIRST_PAUSE), LONGEST_PAUSE)
    return replace(before, state=BreakerState.OPEN, opened_at=since, probe_at=now + wait)


def after_success(before: BreakerStatus) -> BreakerStatus:
    """Pure. An answer to a call that was made before the breaker opened proves nothing."""
    return before if before.state == BreakerState.OPEN else WELL


async def _take_probe(provider: str) -> bool:
    """One guarded statement, so one winner. A half-open one's probe that is overdue was taken by someone who died."""
    sources = [*MOVES.sources(BreakerState.HALF_OPEN), BreakerState.HALF_OPEN]
    row = await db.fetch_one(
        """UPDATE breaker SET state = $2, probe_at = $3, updated_at = $4
           WHERE provider = $1 AND state = ANY($5) AND probe_at <= $4 RETURNING *""",
        provider, BreakerState.HALF_OPEN, clock.now() + PROBE, clock.now(), sources,
    )  # fmt: skip
    if row is None:
        return False
    probed = breaker_queries.of_row(row)
    breaker_queries.remember(provider, probed)
    _say(provider, BreakerState.HALF_OPEN, probed.why)
    return True


async def _change(provider: str, decide: Callable[[BreakerStatus], BreakerStatus]) -> BreakerStatus:
    async with db.transaction():
        now = clock.now()
        before = await _locked(provider, now)
        after = replace(decide(before), updated_at=now)
        if after.state != before.state and not MOVES.allows(before.state, after.state):
            return before
        await db.fetch(
            """UPDATE breaker SET state = $2, failures = $3, why = $4, about = $5, opened_at = $6, probe_at = $7,
               updated_at = $8 WHERE provider = $1""",
            provider, after.state, after.failures, after.why, after.about, after.opened_at, after.probe_at, now,
        )  # fmt: skip
    breaker_queries.remember(provider, after)
    if after.state != before.state:
        _say(provider, after.state, after.why)
    return after


async def _locked(provider: str, now: datetime) -> BreakerStatus:
    """By its row, which is made when it is first needed."""
    locked = "SELECT * FROM breaker WHERE provider = $1 FOR UPDATE"
    row = await db.fetch_one(locked, provider)
    if row is None:
        await db.fetch(
            "INSERT INTO breaker (provider, state, updated_at) VALUES ($1, $2, $3) ON CONFLICT (provider) DO NOTHING",
            provider, BreakerState.CLOSED, now,
        )  # fmt: skip
        row = await db.fetch_one(locked, provider)
    return breaker_queries.of_row(row) if row else WELL


def _say(provider: str, state: BreakerState, why: str) -> None:
    metrics.BREAKER_MOVES.labels(provider, state.value).inc()
    logger = log.get("bitloot.breakers")
    tell = logger.error if state == BreakerState.OPEN else logger.warning
    tell(f"breaker.{state.value}", provider=provider, why=why)


async def _safely(provider: str, work: Callable[[], Awaitable[T]], *, instead: T) -> T:
    """The answer of ``work``, or ``instead`` where the tables can't be used."""
    try:
        return await work()
    except BROKEN as broken:
        log.get("bitloot.breakers").warning("breaker.unusable", provider=provider, why=type(broken).__name__)
        return instead
