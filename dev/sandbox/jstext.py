"""JSON as a JavaScript service writes it: compact, UTF-8 unescaped, numbers in ECMAScript's spelling.

`json.dumps` would write `2e-06` and `13.0` where Node writes `0.000002` and `13`; a signature over such a body
is another signature. Numbers are `Decimal` or `int` here, never float.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Context, Decimal
from typing import NoReturn

_quote = json.JSONEncoder(ensure_ascii=False).encode
_DOUBLE = Context(prec=17)  # no double prints more significant digits than this


def number_text(value: Decimal | int) -> str:
    """Spell a number by ECMAScript's Number::toString: exponents only below 1e-6 and from 1e21 on."""
    if isinstance(value, int) and abs(value) < 10**21:
        return str(value)
    sign, digit_tuple, exponent = _DOUBLE.plus(Decimal(value)).normalize(_DOUBLE).as_tuple()
    digits = "".join(map(str, digit_tuple))
    if digits == "0":
        return "0"
    point = len(digits) + int(exponent)
    return ("-" if sign else "") + _place_point(digits, point)


def _place_point(digits: str, point: int) -> str:
    """Write 0.`digits` x 10^`point` the way JavaScript does."""
    if len(digits) <= point <= 21:
        return digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    mantissa = digits if len(digits) == 1 else f"{digits[0]}.{digits[1:]}"
    return f"{mantissa}e{point - 1:+d}"


def dumps(value: object, *, ordered: bool = False) -> bytes:
    """Serialise as `JSON.stringify` does; `ordered` sorts the keys at every depth.

    Takes dicts, lists, tuples, str, int, Decimal, bool and None. A lone surrogate leaves as its `\\u` escape.
    """
    return _text(value, ordered).encode("utf-8", "backslashreplace")


def pretty(value: object) -> bytes:
    """Serialise with two spaces of indentation, keys in the order given: the shape of the docs' example IPN."""
    return _indented(value, "\n").encode("utf-8", "backslashreplace")


def _text(value: object, ordered: bool) -> str:
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, Mapping):
        pairs = sorted(value.items()) if ordered else value.items()
        return "{" + ",".join([f"{_quote(key)}:{_text(member, ordered)}" for key, member in pairs]) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join([_text(member, ordered) for member in value]) + "]"
    return _scalar(value)


def _indented(value: object, newline: str) -> str:
    if isinstance(value, Mapping) and value:
        inner = newline + "  "
        pairs = [f"{inner}{_quote(key)}: {_indented(member, inner)}" for key, member in value.items()]
        return "{" + ",".join(pairs) + newline + "}"
    return _text(value, False)


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return number_text(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def loads(raw: bytes) -> object:
    """Parse a body, numbers with a fraction as Decimal.

    Raises:
        ValueError: not JSON, NaN or Infinity, text that is no valid Unicode, or nested too deeply.
    """
    try:
        value: object = json.loads(raw, parse_float=Decimal, parse_constant=_refuse_constant)
        if b"\\u" in raw:
            json.dumps(value, ensure_ascii=False, default=str).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
