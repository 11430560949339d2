"""The one source of time. Everything asks here, so a test can travel instead of sleeping."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_shift = timedelta()


def _of_this_machine() -> datetime:
    return datetime.now(UTC)


_read: Callable[[], datetime] = _of_this_machine


def now() -> datetime:
    """The current time, timezone-aware, in UTC."""
    return _read() + _shift


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
