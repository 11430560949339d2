"""What a card and a VPA look like. Pure; of a card, nothing leaves here but its last four digits and its network.

Numbers: ISO/IEC 7812-1 (Luhn, prefixes, lengths). VPA: UPI's ``name@handle`` (NPCI).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.core.errors import Invalid
from app.core.i18n import _

NETWORKS = (  # the first that fits; RuPay's ranges lie inside Discover's
    ("amex", re.compile(r"3[47]\d{13}")),
    ("visa", re.compile(r"4(?:\d{12}|\d{15}|\d{18})")),
    ("mastercard", re.compile(r"(?:5[1-5]\d{14}|(?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12})")),
    ("discover", re.compile(r"(?:6011\d{12}|64[4-9]\d{13})")),
    ("rupay", re.compile(r"(?:(?:60|81|82)\d{14}|508[5-9]\d{12}|35[36]\d{13}|652[1-9]\d{12}|653[01]\d{12})")),
    ("discover", re.compile(r"65\d{14}")),
)
CVV_DIGITS = {"amex": 4}  # three for all others
FURTHEST = 20  # years from now to an expiry that can be true
EXPIRY = re.compile(r"(0[1-9]|1[0-2])\s*/\s*(\d{2}|\d{4})")
VPA = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,254}@[A-Za-z][A-Za-z0-9]{1,63}")


class BadCard(Invalid):
    title = "That card can't be used"


class BadVpa(Invalid):
    title = "That VPA can't be used"


@dataclass(frozen=True, slots=True)
class Card:
    """``number`` has digits alone; it is not shown by ``repr``, and lives no longer than the call that read it."""

    number: str = field(repr=False)
    network: str

    @property
    def last4(self) -> str:
        return self.number[-4:]


def read(spec: Mapping[str, object], now: datetime) -> Card:
    """A card by its ``number``, ``expiry`` (MM/YY or MM/YYYY) and ``cvv``. Raises BadCard, which names the field."""
    number = re.sub(r"[ -]", "", _text(spec, "number"))
    if not re.fullmatch(r"[0-9]{12,19}", number) or not luhn(number):
        raise BadCard("Check the card number.", field="number")
    network = network_of(number)
    if network is None:
        raise BadCard("Cards of this network are not accepted.", field="number")
    _check_expiry(_text(spec, "expiry"), now)
    digits = CVV_DIGITS.get(network, 3)
    if not re.fullmatch(rf"[0-9]{{{digits}}}", _text(spec, "cvv")):
        raise BadCard(_("The CVV of this card has %(digits)s digits.", digits=digits), field="cvv")
    return Card(number, network)


def _text(spec: Mapping[str, object], name: str) -> str:
    found = spec.get(name)
    if not isinstance(found, str) or not found.strip():
        raise BadCard(_("Give the card's %(name)s.", name=name), field=name)
    return found.strip()


def luhn(number: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(int(c) for c in reversed(number)):
        total += digit if place % 2 == 0 else (digit * 2 if digit < 5 else digit * 2 - 9)
    return total % 10 == 0


def network_of(number: str) -> str | None:
    """``visa``, ``mastercard``, ``amex``, ``rupay`` or ``discover``, by prefix and length; None for any other."""
    return next((name for name, pattern in NETWORKS if pattern.fullmatch(number)), None)


def _check_expiry(text: str, now: datetime) -> None:
    found = EXPIRY.fullmatch(text)
    if found is None or not text.isascii():
        raise BadCard("Write the expiry as MM/YY or MM/YYYY.", field="expiry")
    month, year = int(found[1]), int(found[2]) + (2000 if len(found[2]) == 2 else 0)
    if (year, month) < (now.year, now.month):
        raise BadCard("This card has expired.", field="expiry")
    if year > now.year + FURTHEST:
        raise BadCard("Check the year of the expiry.", field="expiry")


def vpa(text: object) -> str:
    """A VPA such as ``name@bank``, as it was typed. Raises BadVpa."""
    found = text.strip() if isinstance(text, str) else ""
    if not VPA.fullmatch(found):
        raise BadVpa("Write the VPA as name@bank.", field="vpa")
    return found
