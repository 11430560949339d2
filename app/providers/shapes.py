"""Reading what a provider said, member by member, in every typing the sheets have seen.

Ids and amounts flip between text and number (nowpayments.md section 7), so both count. Absent, ``null``,
``""`` and the four-letter text ``"null"`` all read as None. A ``need_…`` function raises WrongShape then.
Errors name members and types, never values: a game key could be one.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from app.core.money import parse_decimal

MAX_ID_CHARS = 100
MAX_POWER = 60  # more than any coin's supply in its smallest unit; beyond it printing gets dangerous

Members = Mapping[str, Any]
T = TypeVar("T")


class WrongShape(ValueError):
    """The answer is JSON, but not what the sheet says."""


def members(value: object, what: str = "the answer") -> Members:
    if not isinstance(value, Mapping):
        raise WrongShape(f"{what} is not an object")
    return value


def rows(value: object, what: str = "the answer") -> list[Members]:
    if not isinstance(value, list):
        raise WrongShape(f"{what} is not a list")
    return [members(row, f"a row of {what}") for row in value]


def texts(data: Members, name: str) -> tuple[str, ...]:
    """A list of texts; what is no text in it is left out."""
    value = data.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def text(data: Members, name: str) -> str | None:
    value = _present(data, name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    raise WrongShape(f"{name} is a {type(value).__name__}, not a text")


def folded(data: Members, name: str) -> str | None:
    """A word or currency code in lower case."""
    value = text(data, name)
    return value.strip().lower() if value is not None else None


def ident(data: Members, name: str) -> str | None:
    """An id as text, whether it came as text or as a whole number; at most 100 characters."""
    value = text(data, name)
    if value is not None and (isinstance(data.get(name), Decimal) or len(value) > MAX_ID_CHARS):
        raise WrongShape(f"{name} is no id")
    return value


def idents(data: Members, name: str) -> tuple[str, ...]:
    """A list of ids as texts; null is empty, and what is no id in it is left out."""
    value = data.get(name)
    found = [ident({name: item}, name) for item in value if type(item) in {int, str}] if isinstance(value, list) else []
    return tuple(item for item in found if item)


def amount(data: Members, name: str) -> Decimal | None:
    """A number of at least 0, exactly as it was spelt."""
    value = _present(data, name)
    if value is None:
        return None
    number = parse_decimal(value)
    if number is None or (number.is_signed() and number != 0) or abs(number.adjusted()) > MAX_POWER:
        raise WrongShape(f"{name} is no amount")
    return number


def whole(data: Members, name: str) -> int | None:
    number = amount(data, name)
    if number is not None and number != number.to_integral_value():
        raise WrongShape(f"{name} is not a whole number")
    return int(number) if number is not None else None


def moment(data: Members, name: str) -> datetime | None:
    """An ISO 8601 time as UTC; one without an offset is taken as UTC, one we can't read as None."""
    value = _present(data, name)
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) else None
        return read and (read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def need_text(data: Members, name: str) -> str:
    return _needed(text(data, name), name)


def need_folded(data: Members, name: str) -> str:
    return _needed(folded(data, name), name)


def need_ident(data: Members, name: str) -> str:
    return _needed(ident(data, name), name)


def need_amount(data: Members, name: str) -> Decimal:
    return _needed(amount(data, name), name)


def exact(number: Decimal) -> Decimal:
    """An amount fit to be sent: finite, greater than 0, of sane size. Raises ValueError."""
    if not number.is_finite() or number <= 0 or abs(number.adjusted()) > MAX_POWER:
        raise ValueError("an amount to send must be finite and greater than 0")
    return Decimal(f"{number:f}")


def _present(data: Members, name: str) -> Any:
    value = data.get(name)
    return None if isinstance(value, str) and value.strip() in {"", "null"} else value


def _needed(value: T | None, name: str) -> T:
    if value is None:
        raise WrongShape(f"{name} is missing")
    return value
