"""The one source of time: Postgres' clock, as this process last measured it. A test can travel instead of sleeping.

Leases, due times and deadlines mean the same in every process only if one clock decides. Between measurements the
machine counts on, by a clock that nobody sets.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

TOLERATED = timedelta(seconds=2)  # this machine's clock may be off by so much before anybody is told

_shift = timedelta()
_machine_is_off = timedelta()
_offset: float | None = None  # seconds from the counting clock to Postgres'; None before the first measurement


def machine() -> datetime:
    """What this machine takes for the time. Decides nothing."""
    return datetime.now(UTC) + _machine_is_off


def measured(at: datetime, asked: float, answered: float) -> None:
    """Take in that Postgres' clock said ``at`` somewhere between two moments of ``time.monotonic``.

    The offset is moved no further than what was measured demands, so that a slow answer does no harm.
    """
    global _offset
    least, most = at.timestamp() - answered, at.timestamp() - asked
    _offset = (least + most) / 2 if _offset is None else min(max(_offset, least), most)


def skew() -> timedelta:
    """How far this machine's clock is ahead of Postgres' (behind: negative)."""
    return machine() - _of_postgres()


def postgres_ms() -> int:
    """Postgres' time in whole milliseconds since 1970, for messages; no travel moves it."""
    return round(_of_postgres().timestamp() * 1000)


def skew_ms() -> int:
    """``skew`` in whole milliseconds."""
    return round(skew().total_seconds() * 1000)


def _of_postgres() -> datetime:
    return machine() if _offset is None else datetime.fromtimestamp(time.monotonic() + _offset, UTC)


_read: Callable[[], datetime] = _of_postgres


def now() -> datetime:
    """The current time, timezone-aware, in UTC."""
    return _read() + _shift


def given() -> datetime | None:
    """The time where a test or a simulation rules it, None where Postgres does: for ``coalesce($1, now())`` in SQL."""
    return now() if _shift or _read is not _of_postgres else None


@contextmanager
def ruled_by(read: Callable[[], datetime]) -> Iterator[None]:
    """Let ``read`` say what time it is (aware, UTC) inside the block: a simulation's own time."""
    global _read
    before = _read
    _read = read
    try:
        yield
    finally:
        _read = before


@contextmanager
def travelled(by: timedelta) -> Iterator[None]:
    """Move this process's time by ``by`` inside the block (may be negative)."""
    global _shift
    before = _shift
    _shift = before + by
    try:
        yield
    finally:
        _shift = before


@contextmanager
def machine_off_by(by: timedelta) -> Iterator[None]:
    """Let this machine's clock be wrong by ``by`` inside the block, as on a host that lost its time server."""
    global _machine_is_off
    before = _machine_is_off
    _machine_is_off = before + by
    try:
        yield
    finally:
        _machine_is_off = before
