"""JSON read so that one odd value spoils itself alone: for long lists whose other rows must still be understood.

Not for anything that moves money by itself: ``parse_strict`` refuses a text as a whole, and stays the rule.
"""

import json
from decimal import Decimal
from typing import Any

from app.core.signing import MAX_NUMBER_CHARS, MAX_NUMBER_POWER, MalformedJson


class Ambiguous(dict[str, object]):
    """An object in which a name stood twice: it can't be known which value is meant."""


def parse_lenient(raw: bytes, *, max_bytes: int) -> Any:
    """The value of a JSON text: whole numbers as int, others as Decimal, never a float.

    A number that is absurd and NaN read as None, bytes that are no UTF-8 as U+FFFD, an object with a name twice as
    ``Ambiguous``. Lone surrogates and NUL stay in texts: whoever keeps a text cleans it. Raises MalformedJson for more
    than ``max_bytes``, for nesting too deep to be read, and for what is no JSON at all.
    """
    if len(raw) > max_bytes:
        raise MalformedJson("too long")
    try:
        text = raw.decode("utf-8-sig", "replace")
        return _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise MalformedJson("not JSON") from None


def _whole(text: str) -> int | None:
    return int(text) if len(text) <= MAX_NUMBER_CHARS else None


def _decimal(text: str) -> Decimal | None:
    number = Decimal(text) if len(text) <= MAX_NUMBER_CHARS else None
    return number if number is not None and abs(number.adjusted()) <= MAX_NUMBER_POWER else None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, object]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Ambiguous(found)


def _nothing(_: str) -> None:
    return None


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_decimal, parse_int=_whole, parse_constant=_nothing, strict=False
)  # fmt: skip
