"""Reading the API's bodies: one shape, nothing beside it, each fault named by its field, no value ever quoted."""

import re
from decimal import Decimal
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request
from msgspec import Meta

from app.core.errors import Invalid, Problem
from app.core.money import CENT
from app.core.signing import MalformedJson, parse_strict
from app.web.body import LARGEST
from app.web.render import sent_json

MOST = 1_000_000  # of any currency
AMOUNT = r"(?:[1-9][0-9]{0,5}(?:\.[0-9]{1,2})?|0\.(?:[1-9][0-9]?|0[1-9])|1000000(?:\.0{1,2})?)"
LARGEST_WHOLE = 2**63
PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
EMPTY_OR_PRINTABLE = r"^[^\x00-\x1f\x7f]*$"

T = TypeVar("T", bound=msgspec.Struct)
Asked = Request[Any, Any, Any]
Metadata = Annotated[
    dict[
        Annotated[str, Meta(min_length=1, max_length=40, pattern=PRINTABLE)],
        Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")],
    ],
    Meta(max_length=50, description="Notes of your own: up to 50 strings.", examples=[{"customer_id": "8812"}]),
]


class MalformedBody(Invalid):
    title = "The request body can't be used"


class UnsupportedMediaType(Problem):
    status = 415
    title = "The request body is not JSON"


class Amount(Decimal):
    """An amount of money from 0.01 to MOST, with two decimals: sent as a string, or as a number."""


AMOUNT_SCHEMA = {
    "description": "An amount of money above zero, with at most two decimals: a string, or a number.",
    "examples": ["49.90"],
    "anyOf": [
        {"type": "string", "pattern": f"^{AMOUNT}$"},
        {"type": "integer", "minimum": 1, "maximum": MOST},
        {"type": "number", "minimum": 0.01, "maximum": MOST, "multipleOf": 0.01},
    ],
}


def schema_of(kind: type) -> dict[str, Any]:
    """The JSON Schema of a type of ours."""
    if kind is Amount:
        return AMOUNT_SCHEMA
    raise NotImplementedError(kind)


def _made(kind: type, value: Any) -> Any:
    if kind is not Amount:
        raise NotImplementedError(kind)
    if isinstance(value, str) and re.fullmatch(AMOUNT, value):
        return Amount(Decimal(value).quantize(CENT))
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        exact = Decimal(value)
        if 0 < exact <= MOST and exact == exact.quantize(CENT):
            return Amount(exact.quantize(CENT))
    raise ValueError(f"Name an amount from 0.01 to {MOST}, with at most two decimals, such as 49.90")


def _wholes(value: Any) -> Any:
    """The same with whole numbers as such, however they were written: 5.0 is an integer to JSON Schema."""
    if isinstance(value, dict):
        return {name: _wholes(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_wholes(member) for member in value]
    if isinstance(value, Decimal) and abs(value) < LARGEST_WHOLE and value == value.to_integral_value():
        return int(value)
    return value


def read(request: Asked, raw: bytes, shape: Any, *, needed: bool = False) -> Any:
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
        return msgspec.convert(_wholes(parse_strict(raw, max_bytes=LARGEST)), shape, strict=True, dec_hook=_made)
    except MalformedJson as bad:
        raise MalformedBody(f"Send valid JSON: {bad}.") from None
    except msgspec.ValidationError as bad:
        said, field = _fault(str(bad))
    raise MalformedBody(said, field=field)


_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`(?: - at `\$\.?(.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`(?: - at `\$\.?(.*)`)?")
_AT = re.compile(r"(.*?) - at (?:`key` in )?`\$\.?(.*)`", re.DOTALL)
_NAME = re.compile(r"(?!.*[0-9]{8})[A-Za-z_][A-Za-z0-9_]{0,63}")


def _fault(text: str) -> tuple[str, str | None]:
    """What is wrong and where. The library's words may quote what was sent, even a card's number: ours don't."""
    if found := _UNKNOWN.fullmatch(text):
        if not _NAME.fullmatch(found[1]):
            return "It has a member that is not known here.", found[2] or None
        return f"There is no member {found[1]} here.", _path(found[2], found[1])
    if found := _MISSING.fullmatch(text):
        return f"{found[1]} is missing.", _path(found[2], found[1])
    found = _AT.fullmatch(text)
    said, where = (found[1], found[2] or None) if found else (text, None)
    if said.startswith("Invalid"):
        return ("Write it as a UUID." if "UUID" in said else "It is none of the values that are taken here."), where
    if " matching regex" in said:
        return "It has characters that are not taken here, or too many.", where
    return f"{said.replace('`', '')}.", where


def _path(*parts: str | None) -> str:
    return ".".join(part for part in parts if part)
