"""The time in milliseconds since 1970, and the four ways in which the providers spell it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

SECOND = 1000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE


def now_ms() -> int:
    """The time now, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def zulu(ms: int) -> str:
    """`2026-01-01T00:20:00.000Z`: NOWPayments, and the control API."""
    return _moment(ms).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def seconds_offset(ms: int) -> str:
    """`2020-10-28T08:40:44+00:00`: Kinguin's orders and products."""
    return _moment(ms).isoformat(timespec="seconds")


def millis_offset(ms: int) -> str:
    """`2020-10-16T11:24:08.025+00:00`: Kinguin's webhooks."""
    return _moment(ms).isoformat(timespec="milliseconds")


def spaced(ms: int) -> str:
    """`2023-04-03 22:13:42.674981+00`: Resend's mails, not strict ISO."""
    return _moment(ms).strftime("%Y-%m-%d %H:%M:%S.%f+00")


def parse(text: str) -> int | None:
    """Read a date or an ISO time as milliseconds; without an offset it is UTC. None if it is neither."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
