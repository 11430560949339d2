"""Reading breakers. One that is closed is remembered for a second, so that a provider that is well costs nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asyncpg import InterfaceError, PostgresError

from app.core import clock, db, log
from app.queue.breaker_states import BreakerState

REMEMBERED = timedelta(seconds=1)
BROKEN = (PostgresError, InterfaceError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class BreakerStatus:
    """How a provider is doing. ``opened_at`` stays while probes fail; ``probe_at``: when one call may try again.

    ``about``: the one piece of work that all failures in a row were about; empty where there were several.
    """

    state: BreakerState = BreakerState.CLOSED
    failures: int = 0
    why: str = ""
    about: str = ""
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def closed(self) -> bool:
        return self.state == BreakerState.CLOSED


WELL = BreakerStatus()
_seen: dict[str, tuple[datetime, BreakerStatus]] = {}


def remember(provider: str, standing: BreakerStatus) -> None:
    _seen[provider] = (clock.now(), standing)


def remembered(provider: str) -> BreakerStatus | None:
    """What was read within the last second, if the provider was well then: trouble is always read anew."""
    at, standing = _seen.get(provider, (None, WELL))
    fresh = at is not None and timedelta() <= clock.now() - at < REMEMBERED
    return standing if fresh and standing.closed else None


async def standing(provider: str) -> BreakerStatus:
    """How a provider is doing; well, where that can't be read: a breaker must never be what stops a shop."""
    known = remembered(provider)
    if known is not None:
        return known
    try:
        rows = await all_standings()
    except BROKEN as broken:
        log.get("bitloot.breakers").warning("breaker.unreadable", provider=provider, why=type(broken).__name__)
        return WELL
    for one in {provider, *rows}:
        remember(one, rows.get(one, WELL))
    return rows.get(provider, WELL)


async def away(provider: str) -> bool:
    """Whether work for this provider waits just now, for the words on pages."""
    return not (await standing(provider)).closed


async def all_standings() -> dict[str, BreakerStatus]:
    rows = await db.fetch("SELECT * FROM breaker")
    return {row["provider"]: of_row(row) for row in rows}


def of_row(row: Mapping[str, Any]) -> BreakerStatus:
    return BreakerStatus(
        BreakerState(row["state"]), row["failures"], row["why"], row["about"],
        row["opened_at"], row["probe_at"], row["updated_at"],
    )  # fmt: skip


async def states() -> dict[str, BreakerState]:
    """The state of each provider that ever failed; one that is missing is closed."""
    return {provider: standing.state for provider, standing in (await all_standings()).items()}
