"""The kinds of values: how each is written, and what JSON Schema says of it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta

from app.core import money

Mode = Literal["live", "test"]
Time = Annotated[
    str,
    Meta(
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$", examples=["2026-11-21T08:30:00.000Z"],
        extra_json_schema={"format": "date-time"},
    ),
]  # fmt: skip
"""RFC 3339 in UTC, to the millisecond."""
Money = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]{2,3})?$", examples=["49.90"])]
"""An amount in major units, with as many decimals as its currency has."""
CoinAmount = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?$", examples=["0.00041"])]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", examples=["USD"])]
"""ISO 4217."""


def one_of(words: Iterable[str]) -> Meta:
    """Of a text that is always one of these."""
    return Meta(extra_json_schema={"enum": [str(word) for word in words]})


def mode(test: bool) -> Mode:
    return "test" if test else "live"


def digits(amount: Decimal, currency: str) -> str:
    """``amount`` in major units as text, rounded to the decimals of its ``currency`` (ISO 4217)."""
    return money.Money(amount, currency).digits


def plain(amount: Decimal | None) -> str | None:
    """An amount of coins as text, without an exponent."""
    return None if amount is None else money.plain(amount)


def time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def time_or_none(at: datetime | None) -> str | None:
    return time(at) if at else None
