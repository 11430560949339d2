"""Money is a Decimal with its currency, end to end. Floats are refused."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from app.core.i18n import _

CENT = Decimal("0.01")
SYMBOLS = {"USD": "$", "EUR": "€"}
DECIMALS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3, "TND": 3}
"""ISO 4217's minor units, of currencies that have not two."""


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were put together."""


def decimals(currency: str) -> int:
    """Digits after the point of amounts in ``currency`` (ISO 4217): 0 for yen, 3 for Kuwaiti dinars."""
    return DECIMALS.get(currency, 2)


def smallest(currency: str) -> Decimal:
    """The least amount there is of ``currency``: a cent, a yen, a fils."""
    return Decimal(1).scaleb(-decimals(currency))


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in a fiat currency's major unit (dollars, not cents); ``currency`` is an upper-case ISO 4217 code."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"money needs a Decimal, not {type(self.amount).__name__}")
        if not self.amount.is_finite():
            raise ValueError("money must be finite")
        object.__setattr__(self, "amount", self.amount.quantize(smallest(self.currency), ROUND_HALF_UP))

    def _same(self, other: "Money") -> Decimal:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")
        return other.amount

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __mul__(self, count: int) -> "Money":
        if not isinstance(count, int):
            raise TypeError("money is multiplied by whole numbers; use percent() for shares")
        return Money(self.amount * count, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.amount <= self._same(other)

    def percent(self, share: Decimal) -> "Money":
        """``share`` percent of this, rounded half up to the smallest unit."""
        return Money(self.amount * share / 100, self.currency)

    def __str__(self) -> str:
        symbol, sign = SYMBOLS.get(self.currency), "-" if self.amount < 0 else ""
        size = f"{abs(self.amount):,.{decimals(self.currency)}f}"
        return f"{sign}{symbol}{size}" if symbol else f"{sign}{size} {self.currency}"

    def as_json(self) -> dict[str, str]:
        """``{"amount": "19.99", "currency": "USD"}``"""
        return {"amount": self.digits, "currency": self.currency}

    @property
    def digits(self) -> str:
        """The amount with as many decimals as its currency has: ``49.90``, ``500`` of JPY, ``1.250`` of KWD."""
        return f"{self.amount:f}"

    @property
    def minor(self) -> int:
        """The amount in its smallest unit: 4990 cents for ``49.90``."""
        return int(self.amount.scaleb(decimals(self.currency)))


def parse_decimal(text: Any) -> Decimal | None:
    """A finite Decimal from text, or None. Never takes a float."""
    if isinstance(text, Decimal):
        return text if text.is_finite() else None
    if not isinstance(text, str | int) or isinstance(text, bool):
        return None
    try:
        value = Decimal(str(text).strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


class UnclearAmount(ValueError):
    """An amount was typed in a way that two people may read differently. Says how to write it."""


def typed_decimal(text: str, places: int) -> Decimal | None:
    """A number that a person typed: digits, then perhaps a point and up to ``places`` digits. Else None.

    A comma is refused rather than read: ``1,000`` is a thousand to one person and one to another.
    """
    found = re.fullmatch(rf"[0-9]{{1,12}}(?:\.[0-9]{{1,{places}}})?" if places else r"[0-9]{1,12}", text.strip(" "))
    return Decimal(found[0]) if found else None


def typed_amount(text: str, currency: str) -> Money:
    """An amount of ``currency`` that a person typed, perhaps after the currency's own symbol. Raises UnclearAmount."""
    places = decimals(currency)
    number = typed_decimal(text.strip(" ").removeprefix(SYMBOLS.get(currency, "")), places)
    if number is None:
        if not places:
            raise UnclearAmount(_("Write the amount as digits, such as 1250, without commas or signs."))
        example = f"{Decimal('1250.5'):.{places}f}"
        raise UnclearAmount(
            _("Write the amount as digits and a point, such as %(example)s, without commas or signs.", example=example)
        )
    return Money(number, currency)


def plain(value: Decimal) -> str:
    """A coin amount as people write it: no exponent, no trailing zeros (``0.00041``)."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
