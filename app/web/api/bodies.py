"""Reading the API's bodies: one shape, nothing beside it, each fault named by its field, no value ever quoted."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request
from msgspec import UNSET, Meta, UnsetType

from app.core.errors import Invalid, Problem
from app.core.i18n import N_, _
from app.core.money import decimals
from app.core.signing import MalformedJson, parse_strict
from app.web.api import body_errors, declared
from app.web.kernel.body import LARGEST
from app.web.kernel.render import sent_json

AMOUNT = r"(?:[1-9][0-9]{0,8}(?:\.[0-9]{1,3})?|0\.(?:[1-9][0-9]{0,2}|0[1-9][0-9]?|00[1-9]))"
NO_AMOUNT = N_('Write an amount above zero as a decimal string in major units, such as "49.90"')
BOTH_WAYS = N_(
    'Write an amount as a decimal string in major units, such as "49.90", or send amount_minor, a whole number of the '
    "smallest unit, such as 4990. A bare number is refused, because it could mean either."
)
LARGEST_WHOLE = 2**63
PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
EMPTY_OR_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"


class MalformedBody(Invalid):
    title = "The request body can't be used"


class UnusableValue(Invalid):
    """Right by its form, and to be refused all the same: a JSON Schema takes 24.00 for a whole number."""

    title = "A value can't be used"


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """A request's shape. What may be sent in two ways is brought into one by ``plainly``."""

    def check(self) -> None:
        """Raise MalformedBody for what the members' own shapes can't tell."""

    def plainly(self) -> "Body":
        """The same request in the one form that is compared with a repeat."""
        return self


class TooFine(ValueError):
    """An amount with more decimals than its currency has; says so in a sentence."""


def amount_of(amount: Decimal | UnsetType, minor: int | UnsetType, currency: str) -> Decimal | None:
    """An amount in major units, however it was sent; None where none was. Raises TooFine."""
    if minor is not UNSET:
        return Decimal(minor).scaleb(-decimals(currency))
    if amount is UNSET:
        return None
    if -int(amount.as_tuple().exponent) > (digits := decimals(currency)):
        more = {"currency": currency, "amount": amount}
        if not digits:
            raise TooFine(_("%(currency)s has no decimals: %(amount)s has more.", **more))
        raise TooFine(_("%(currency)s has %(digits)s decimals at most: %(amount)s has more.", digits=digits, **more))
    return Decimal(amount)


T = TypeVar("T", bound=msgspec.Struct)
Req = Request[Any, Any, Any]
Metadata = Annotated[
    dict[
        Annotated[str, Meta(min_length=1, max_length=40, pattern=PRINTABLE)],
        Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")],
    ],
    Meta(max_length=50, description="Notes of your own: up to 50 strings.", examples=[{"customer_id": "8812"}]),
]


class UnsupportedMediaType(Problem):
    status = 415
    title = "The request body is not JSON"


class Amount(Decimal):
    """An amount of money above zero, in major units (dollars): sent as a string alone."""


AMOUNT_SCHEMA = {
    "description": "In major units, above zero, with no more decimals than the currency has. A string: a bare number "
    "is refused, because it could mean either unit.",
    "examples": ["49.90"], "type": "string", "pattern": f"^{AMOUNT}$",
}  # fmt: skip
Minor = Annotated[
    int,
    Meta(
        ge=1, le=10**11, examples=[4990],
        description="Instead of `amount`: in the currency's smallest unit, such as cents. A whole number; one that is "
        "written with a decimal point, such as 24.00, is refused, because it could mean either unit.",
    ),
]  # fmt: skip


def schema_of(kind: type) -> dict[str, Any]:
    """The JSON Schema of a type of ours."""
    if kind is Amount:
        return AMOUNT_SCHEMA
    raise NotImplementedError(kind)


def _made(kind: type, value: Any) -> Any:
    if kind is not Amount:
        raise NotImplementedError(kind)
    if isinstance(value, str) and re.fullmatch(AMOUNT, value):
        return Amount(value)
    bare = isinstance(value, Decimal | int) and not isinstance(value, bool)
    raise ValueError(_(BOTH_WAYS).removesuffix(".") if bare else _(NO_AMOUNT))


def _wholes(value: Any) -> Any:
    """The same with whole numbers as such, however they were written: 5.0 is an integer to JSON Schema. Not so money:
    whoever writes 24.00 may mean dollars, and would be understood in cents."""
    if isinstance(value, dict):
        return {name: member if name == "amount_minor" else _wholes(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_wholes(member) for member in value]
    if isinstance(value, Decimal) and abs(value) < LARGEST_WHOLE and value == value.to_integral_value():
        return int(value)
    return value


def read(request: Req, raw: bytes) -> Any:
    """The body as the route declares it; where all of it may be left out, so may the body unless it is ``needed``.

    Raises MalformedBody, UnusableValue and UnsupportedMediaType.
    """
    said = declared.of_request(request)
    if said.needed and not raw:
        raise MalformedBody("Send a JSON object.")
    if not raw:
        raw = b"{}"
    elif not sent_json(request):
        raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
    shape, sent = said.body, None
    try:
        sent = _wholes(parse_strict(raw, max_bytes=LARGEST))
        found = msgspec.convert(sent, shape, strict=True, dec_hook=_made)
    except MalformedJson as bad:
        raise MalformedBody(_("Send valid JSON: %(bad)s.", bad=bad)) from None
    except msgspec.ValidationError as bad:
        why, field = body_errors.explain(str(bad), shape, sent)
        raise (UnusableValue if why == _(body_errors.WHOLE_MINOR) else MalformedBody)(why, field=field) from None
    found.check()
    return found


def canonical(asked: Body) -> bytes:
    """What a request asks for, the same for every way of writing it: members sorted, defaults filled in, amounts
    by their value, times in UTC."""
    plain = msgspec.to_builtins(asked.plainly(), builtin_types=(Decimal, datetime), enc_hook=Decimal)
    return msgspec.json.encode(_plain(plain), order="sorted")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value.normalize()) if isinstance(value, Decimal) else value
