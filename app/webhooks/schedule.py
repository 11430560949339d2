"""When a delivery is tried again. Pure but for its jitter."""

import random
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from app.core.settings import settings

LIVE = (60, 300, 1800, 7200)  # seconds after the first, second, … attempt; the fifth is the last
TEST = (5, 10, 15, 20)
JITTER = 0.1  # of the interval, to either side: those that failed together do not come back together
LONGEST_WISH = timedelta(days=1)  # of a Retry-After


def intervals(*, test: bool) -> tuple[int, ...]:
    """Seconds between attempts: one more attempt than there are intervals."""
    told = settings().webhook_retry_intervals_test
    if not test or told == "false":
        return LIVE
    return TEST if told == "true" else tuple(int(part) for part in told.split(","))


def next_try(attempts: int, now: datetime, *, test: bool, wish: timedelta | None = None) -> datetime | None:
    """When to try again after ``attempts`` that failed; None for never. ``wish``: what the receiver asked for."""
    waits = intervals(test=test)
    if attempts > len(waits):
        return None
    spread = random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spread, not secrecy
    wait = timedelta(seconds=waits[attempts - 1] * spread)
    return now + max(wait, wish or timedelta())


def wished(retry_after: str | None, now: datetime) -> timedelta | None:
    """A Retry-After header (RFC 9110, 10.2.3), in seconds or as a date; None where it says nothing usable."""
    if not retry_after:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(timedelta(seconds=int(text[:9])), LONGEST_WISH)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        return None
    return max(timedelta(), min(until - now, LONGEST_WISH))
