"""Strict JSON, and the signatures that notices from outside carry.

Sources: ``nowpayments.md`` section 6 (IPN), ``kinguin.md`` section 7, ``resend.md`` section 7 (Svix).
Every check compares in constant time and answers yes or no; none logs, raises or shows what it compared.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from json.encoder import encode_basestring as _quoted  # escapes what JSON.stringify does: quote, \, controls
from typing import Any, NoReturn

MAX_BYTES = 256 * 1024  # a genuine IPN is under 2 kB; this leaves room and still bounds the work of a forger
MAX_CANONICAL_BYTES = 16 * 1024  # spelling a body anew costs a forger nothing and us milliseconds
MAX_DEPTH = 32  # genuine bodies nest three deep
MAX_NUMBER_CHARS = 128  # the longest genuine amount, in wei, has 80
MAX_NUMBER_POWER = 400  # a double ends at 308; 1e999999 would print as a megabyte
SVIX_SKEW_SECONDS = 300  # resend.md section 7

_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)', re.DOTALL)
_NOT_BRACKETS = bytes(b for b in range(256) if b not in b"[]{}")
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_DUBIOUS_ESCAPE = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")
_DUBIOUS = re.compile("[\x00\ud800-\udfff]")
_HEX_SHA512 = re.compile(r"[0-9a-fA-F]{128}")
_WHOLE = re.compile(r"-?\d+")
_WORDS = {None: "null", True: "true", False: "false"}
_ARRAY_INDEX = re.compile(r"0|[1-9]\d{0,9}")


class MalformedJson(ValueError):
    """Not JSON, or JSON we refuse: too deep, too long, a name doubled, NaN. Shows nothing of the text."""


class _Number(str):
    """A JSON number, spelt as it was received."""

    __slots__ = ()


def parse_strict(raw: bytes, *, max_depth: int = MAX_DEPTH, max_bytes: int = MAX_BYTES) -> Any:
    """The value of a JSON text (RFC 8259): whole numbers as int, all others as Decimal, never a float.

    Refuses with MalformedJson: more than ``max_bytes`` bytes, nesting beyond ``max_depth``, invalid UTF-8,
    NaN and Infinity, a name twice in one object, absurd numbers, and NUL or lone surrogates, which Postgres
    can't store.
    """
    return _decode(raw, _EXACT, max_depth, max_bytes)


def read_ipn(raw: bytes, header: str | None, secret: str) -> dict[str, object] | None:
    """The body of a genuine NOWPayments notice, parsed by ``parse_strict``; None where it can't be trusted.

    ``raw`` is the body as it arrived, ``header`` the ``x-nowpayments-sig``, ``secret`` the IPN secret
    (whitespace around it is ignored, as by the official SDK). Order of checks: nowpayments.md section 6.
    """
    key = secret.strip().encode()
    if not key or header is None or not _HEX_SHA512.fullmatch(header.strip()):
        return None
    try:
        data = parse_strict(raw)
        if not isinstance(data, dict):
            return None
        claimed = header.strip().lower().encode()
        genuine = _signed(raw, key, claimed) or _signed_canonically(raw, key, claimed)
    except MalformedJson:
        return None
    return data if genuine else None


def verify_ipn(raw: bytes, header: str | None, secret: str) -> bool:
    """Whether NOWPayments signed this body; see ``read_ipn``."""
    return read_ipn(raw, header, secret) is not None


def verify_shared_secret(header: str | None, secret: str) -> bool:
    """Whether ``header`` is the secret itself (Kinguin's ``X-Event-Secret``). An empty one never matches."""
    return bool(secret) and header is not None and hmac.compare_digest(_bytes(header), _bytes(secret))


def verify_hmac_sha512_hex(raw: bytes, header: str | None, secret: str) -> bool:
    """Whether ``header`` is the hex HMAC-SHA512 of the raw body (``X-KINGUIN-SIGNATURE``), in either case."""
    if not secret or header is None or not _HEX_SHA512.fullmatch(header.strip()):
        return False
    return _signed(raw, secret.encode(), header.strip().lower().encode())


def verify_svix(raw: bytes, headers: Mapping[str, str], secret: str, now: datetime) -> bool:
    """Whether Svix signed this body within five minutes of ``now`` (timezone-aware).

    ``headers`` in any case, named ``svix-…`` or ``webhook-…``; ``secret`` is ``whsec_<base64>``. Any ``v1``
    signature of the list may match, because two stand there while a secret is being rotated.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    ident, stamp, signatures = (
        lower.get(f"svix-{part}", lower.get(f"webhook-{part}", "")) for part in ("id", "timestamp", "signature")
    )
    key = _svix_key(secret)
    if not key or not ident or not re.fullmatch(r"[0-9]{1,12}", stamp):
        return False
    if abs(now.timestamp() - int(stamp)) > SVIX_SKEW_SECONDS:
        return False
    signed = hmac.new(key, _bytes(f"{ident}.{stamp}.") + raw, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(signed)
    # No short cut: every entry is compared, so time tells nothing about which one matched.
    return any([hmac.compare_digest(expected, _bytes(entry)) for entry in signatures.split(" ")])  # noqa: C419


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _svix_key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _signed(text: bytes, key: bytes, claimed: bytes) -> bool:
    return hmac.compare_digest(hmac.new(key, text, hashlib.sha512).hexdigest().encode(), claimed)


def _signed_canonically(raw: bytes, key: bytes, claimed: bytes) -> bool:
    if len(raw) > MAX_CANONICAL_BYTES:
        return False
    data = _decode(raw, _AS_SPELT, MAX_DEPTH, MAX_BYTES)
    return any(_signed(text.encode(), key, claimed) for text in _canonical_forms(data))


def _canonical_forms(data: Any) -> Iterator[str]:
    """The sorted, compact texts a genuine sender may have signed, likeliest first."""
    for arrays_as_objects in (False, True):
        for spell in (str, _javascript_number):
            try:
                yield _dump(data, spell, arrays_as_objects)
            except _Unspeakable:
                continue


def _dump(value: Any, spell: Callable[[str], str], arrays_as_objects: bool) -> str:
    if isinstance(value, _Number):
        return spell(value)
    if isinstance(value, list) and arrays_as_objects:
        value = {str(i): item for i, item in enumerate(value)}
    if isinstance(value, dict):
        names = sorted(value, key=_javascript_order)
        pairs = (f"{_quoted(name)}:{_dump(value[name], spell, arrays_as_objects)}" for name in names)
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_dump(item, spell, arrays_as_objects) for item in value) + "]"
    return _quoted(value) if isinstance(value, str) else _WORDS[value]


def _javascript_order(name: str) -> tuple[int, int, bytes]:
    """ECMA-262, OrdinaryOwnPropertyKeys: array indices first, whatever sort() said; then by UTF-16 units."""
    if _ARRAY_INDEX.fullmatch(name) and int(name) < 2**32 - 1:
        return (0, int(name), b"")
    return (1, 0, name.encode("utf-16-be"))


class _Unspeakable(Exception):
    """A number that JavaScript could not have written."""


def _javascript_number(text: str) -> str:
    """``text`` as JavaScript writes that number (ECMA-262, Number::toString).

    The double only spells here, no amount is taken from it. Whole numbers must survive it unchanged: a forger
    holding a genuine notice could otherwise bend a long id within the double's rounding.
    """
    double = float(text)
    exact, rounded = Decimal(text), Decimal(repr(double))
    bent = rounded != exact if _WHOLE.fullmatch(text) else (rounded == 0) != (exact == 0)
    if bent or not rounded.is_finite():
        raise _Unspeakable
    if double == 0:
        return "0"
    sign, digits, exponent = rounded.normalize().as_tuple()
    figures, point = "".join(map(str, digits)), len(digits) + int(exponent)
    return "-" * sign + _javascript_figures(figures, point)


def _javascript_figures(figures: str, point: int) -> str:
    """``figures`` with the decimal point after ``point`` of them."""
    if len(figures) <= point <= 21:
        return figures.ljust(point, "0")
    if 0 < point <= 21:
        return f"{figures[:point]}.{figures[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{figures}"
    mantissa = figures[0] + ("." + figures[1:] if len(figures) > 1 else "")
    return f"{mantissa}e{point - 1:+d}"


def _decode(raw: bytes, decoder: json.JSONDecoder, max_depth: int, max_bytes: int) -> Any:
    if len(raw) > max_bytes:
        raise MalformedJson("too long")
    if _depth(raw, max_depth) > max_depth:
        raise MalformedJson("nested too deep")
    try:
        value = decoder.decode(raw.decode("utf-8"))
    except MalformedJson:
        raise
    except (ValueError, RecursionError):
        # From None, because the original error carries the whole document.
        raise MalformedJson("not valid JSON") from None
    if _DUBIOUS_ESCAPE.search(raw) and any(_DUBIOUS.search(text) for text in _texts(value)):
        raise MalformedJson("a text that can't be stored")
    return value


def _depth(raw: bytes, enough: int) -> int:
    """Upper bound of the nesting, taken before any parser recurses."""
    if raw.count(b"[") + raw.count(b"{") <= enough:
        return enough
    brackets = _STRING.sub(b"", raw).translate(None, _NOT_BRACKETS)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _texts(member)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise MalformedJson("a name twice in one object")
    return members


def _no_constant(_name: str) -> NoReturn:
    raise MalformedJson("NaN and Infinity are not JSON")


def _bounded(text: str) -> Decimal:
    try:
        number = Decimal(text) if len(text) <= MAX_NUMBER_CHARS else Decimal("NaN")
    except InvalidOperation:
        raise MalformedJson("an absurd number") from None
    if number.is_nan() or abs(number.adjusted()) > MAX_NUMBER_POWER:
        raise MalformedJson("an absurd number")
    return number


def _strict(fraction: Callable[[str], Any], whole: Callable[[str], Any]) -> json.JSONDecoder:
    return json.JSONDecoder(
        parse_float=fraction, parse_int=whole, parse_constant=_no_constant, object_pairs_hook=_object
    )


_EXACT = _strict(_bounded, lambda text: int(_bounded(text)))
_AS_SPELT = _strict(_Number, _Number)
