"""Reading the API's bodies: one shape, nothing beside it, each fault named by its field, no value ever quoted."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request
from msgspec import UNSET, Meta, UnsetType, inspect

from app.core.errors import Invalid, Problem
from app.core.money import decimals
from app.core.signing import MalformedJson, parse_strict
from app.web.kernel.body import LARGEST
from app.web.kernel.render import sent_json

AMOUNT = r"(?:[1-9][0-9]{0,8}(?:\.[0-9]{1,3})?|0\.(?:[1-9][0-9]{0,2}|0[1-9][0-9]?|00[1-9]))"
NO_AMOUNT = 'Write an amount above zero as a decimal string in major units, such as "49.90"'
BOTH_WAYS = (
    'Write an amount as a decimal string in major units, such as "49.90", or send amount_minor, a whole number of the '
    "smallest unit, such as 4990. A bare number is refused, because it could mean either."
)
LARGEST_WHOLE = 2**63
PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
EMPTY_OR_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"


class MalformedBody(Invalid):
    title = "The request body can't be used"


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
        raise TooFine(f"{currency} has {f'{digits} decimals at most' if digits else 'no decimals'}: {amount} has more.")
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
        description="Instead of `amount`: in the currency's smallest unit, such as cents.",
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
    raise ValueError(BOTH_WAYS.removesuffix(".") if bare else NO_AMOUNT)


def _wholes(value: Any) -> Any:
    """The same with whole numbers as such, however they were written: 5.0 is an integer to JSON Schema."""
    if isinstance(value, dict):
        return {name: _wholes(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_wholes(member) for member in value]
    if isinstance(value, Decimal) and abs(value) < LARGEST_WHOLE and value == value.to_integral_value():
        return int(value)
    return value


def read(request: Req, raw: bytes, shape: Any, *, needed: bool = False) -> Any:
    """The body as ``shape``; where all of it may be left out, so may the body unless it is ``needed``.

    Raises MalformedBody and UnsupportedMediaType.
    """
    if needed and not raw:
        raise MalformedBody("Send a JSON object.")
    if not raw:
        raw = b"{}"
    elif not sent_json(request):
        raise UnsupportedMediaType("Send JSON, with Content-Type: application/json.")
    try:
        found = msgspec.convert(_wholes(parse_strict(raw, max_bytes=LARGEST)), shape, strict=True, dec_hook=_made)
    except MalformedJson as bad:
        raise MalformedBody(f"Send valid JSON: {bad}.") from None
    except msgspec.ValidationError as bad:
        said, field = _fault(str(bad), shape)
        raise MalformedBody(said, field=field) from None
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


_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`(?: - at `\$\.?(.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`(?: - at `\$\.?(.*)`)?")
_AT = re.compile(r"(.*?) - at (?:`key` in )?`\$\.?(.*)`", re.DOTALL)
_NAME = re.compile(r"(?!.*[0-9]{8})[A-Za-z_][A-Za-z0-9_]{0,63}")


def _fault(text: str, shape: Any) -> tuple[str, str | None]:
    """What is wrong and where. The library's words may quote what was sent, even a card's number: ours don't."""
    if found := _UNKNOWN.fullmatch(text):
        if not _NAME.fullmatch(found[1]):
            return f"It has an unknown field.{_takes(shape, found[2])}", found[2] or None
        return f'Unknown field "{found[1]}".{_takes(shape, found[2])}', _path(found[2], found[1])
    if found := _MISSING.fullmatch(text):
        return f"{found[1]} is missing.", _path(found[2], found[1])
    found = _AT.fullmatch(text)
    said, where = (found[1], found[2] or None) if found else (text, None)
    if said.startswith("Invalid"):
        return ("Write it as a UUID." if "UUID" in said else "This value is not accepted here."), where
    if " matching regex" in said:
        return "It is too long, or has characters that are not allowed here.", where
    return f"{said.replace('`', '')}.", where


def _takes(shape: Any, where: str | None) -> str:
    """The names that a body of this shape may have, as a sentence; nothing about what is inside of one of them."""
    if where:
        return ""
    info = inspect.type_info(shape)
    kinds = [kind for kind in getattr(info, "types", [info]) if isinstance(kind, inspect.StructType)]
    tags = [kind.tag_field for kind in kinds if kind.tag_field]
    fields = [field.encode_name for kind in kinds for field in kind.fields]
    names = dict.fromkeys([*fields[:1], *tags, *fields[1:]])
    return f" This request takes {', '.join(names)}." if names else " This request takes no fields."


def _path(*parts: str | None) -> str:
    return ".".join(part for part in parts if part)
