"""What is wrong with a body, in plain words: where, and what was expected. No value that was sent is ever quoted."""

import re
from typing import Any

from msgspec import inspect

_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`(?: - at `\$\.?(.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`(?: - at `\$\.?(.*)`)?")
_AT = re.compile(r"(.*?) - at (?:`key` in )?`\$\.?(.*)`", re.DOTALL)
_NAME = re.compile(r"(?!.*[0-9]{8})[A-Za-z_][A-Za-z0-9_]{0,63}")
_EXPECTED = re.compile(r"Expected `([\w| ]+)`(?:, got `(\w+)`)?")
_LENGTH = re.compile(r"Expected `(str|array|object)` of length (>=|<=) (\d+)")
_BOUND = re.compile(r"Expected `(?:int|float)` (>=|<=|>|<) (-?\d+)")
KINDS = {
    "str": "a string", "int": "a whole number", "float": "a number", "decimal": "a number with a decimal point",
    "bool": "true or false", "object": "an object", "array": "a list", "null": "null", "uuid": "a UUID, as a string",
    "datetime": "a time such as 2026-11-21T08:30:00Z, as a string", "Amount": "a decimal string",
}  # fmt: skip
MORE_OR_LESS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
COUNTED = {"str": "characters", "array": "items", "object": "fields"}
WHOLE_MINOR = (
    "Send amount_minor as a whole number of the currency's smallest unit, without a decimal point, such as 4990. "
    'For an amount in major units, send amount as a string, such as "49.90".'
)


def told(text: str, shape: Any, sent: Any) -> tuple[str, str | None]:
    """What is wrong, and the path of the field. ``text``: the library's words, which may quote even a card's number;
    ``shape``: the type that was expected; ``sent``: what was sent instead, as parsed."""
    if found := _UNKNOWN.fullmatch(text):
        if not _NAME.fullmatch(found[1]):
            return f"It has an unknown field.{_takes(shape, found[2], sent)}", found[2] or None
        return f'Unknown field "{found[1]}".{_takes(shape, found[2], sent)}', _path(found[2], found[1])
    if found := _MISSING.fullmatch(text):
        return f"{found[1]} is missing.", _path(found[2], found[1])
    found = _AT.fullmatch(text)
    said, where = (found[1], found[2] or None) if found else (text, None)
    if where == "amount_minor" and said.endswith("got `decimal`"):
        return WHOLE_MINOR, where
    return _plain(said), where


def _plain(said: str) -> str:
    if said.startswith("Invalid"):
        return "Write it as a UUID." if "UUID" in said else "This value is not accepted here."
    if " matching regex" in said:
        return "It is too long, or has characters that are not allowed here."
    if found := _LENGTH.fullmatch(said):
        counted = COUNTED[found[1]].removesuffix("s") if found[3] == "1" else COUNTED[found[1]]
        return f"Send {MORE_OR_LESS[found[2]]} {found[3]} {counted}."
    if found := _BOUND.fullmatch(said):
        return f"Send a whole number of {MORE_OR_LESS[found[1]]} {found[2]}."
    if found := _EXPECTED.fullmatch(said):
        wanted = " or ".join(KINDS.get(word.strip(), "another value") for word in found[1].split("|"))
        got = KINDS.get(found[2] or "", "")
        return f"Send {wanted}, not {got}." if got else f"Send {wanted}."
    return f"{said.replace('`', '')}."


def _takes(shape: Any, where: str | None, sent: Any) -> str:
    """The names that a body of this shape may have, as a sentence; nothing about what is inside of one of them. Of
    several shapes it is the one whose tag was sent."""
    if where:
        return ""
    info = inspect.type_info(shape)
    kinds = [kind for kind in getattr(info, "types", [info]) if isinstance(kind, inspect.StructType)]
    if isinstance(sent, dict):
        kinds = [kind for kind in kinds if kind.tag_field and sent.get(kind.tag_field) == kind.tag] or kinds
    tags = [kind.tag_field for kind in kinds if kind.tag_field]
    fields = [field.encode_name for kind in kinds for field in kind.fields]
    names = dict.fromkeys([*fields[:1], *tags, *fields[1:]])
    return f" This request takes {', '.join(names)}." if names else " This request takes no fields."


def _path(*parts: str | None) -> str:
    return ".".join(part for part in parts if part)
