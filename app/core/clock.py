"""The one source of time. Everything asks here, so a test can travel instead of sleeping."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_shift = timedelta()


def now() -> datetime:
    """The current time, timezone-aware, in UTC."""
    return datetime.now(UTC) + _shift


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
