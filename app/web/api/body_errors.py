"""What is wrong with a body, in plain words: where, and what was expected. No value that was sent is ever quoted."""

import re
from typing import Any

from msgspec import inspect

from app.core.i18n import N_, _, ngettext

_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`(?: - at `\$\.?(.*)`)?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(\w+)`(?: - at `\$\.?(.*)`)?")
_AT = re.compile(r"(.*?) - at (?:`key` in )?`\$\.?(.*)`", re.DOTALL)
_NAME = re.compile(r"(?!.*[0-9]{8})[A-Za-z_][A-Za-z0-9_]{0,63}")
_EXPECTED = re.compile(r"Expected `([\w| ]+)`(?:, got `(\w+)`)?")
_LENGTH = re.compile(r"Expected `(str|array|object)` of length (>=|<=) (\d+)")
_BOUND = re.compile(r"Expected `(?:int|float)` (>=|<=|>|<) (-?\d+)")
KINDS = {
    "str": N_("a string"), "int": N_("a whole number"), "float": N_("a number"),
    "decimal": N_("a number with a decimal point"), "bool": N_("true or false"), "object": N_("an object"),
    "array": N_("a list"), "null": "null", "uuid": N_("a UUID, as a string"),
    "datetime": N_("a time such as 2026-11-21T08:30:00Z, as a string"), "Amount": N_("a decimal string"),
}  # fmt: skip
MORE_OR_LESS = {
    ">=": N_("Send a whole number of at least %(bound)s."),
    "<=": N_("Send a whole number of at most %(bound)s."),
    ">": N_("Send a whole number of more than %(bound)s."),
    "<": N_("Send a whole number of less than %(bound)s."),
}
WHOLE_MINOR = N_(
    "Send amount_minor as a whole number of the currency's smallest unit, without a decimal point, such as 4990. "
    'For an amount in major units, send amount as a string, such as "49.90".'
)


def explain(text: str, shape: Any, sent: Any) -> tuple[str, str | None]:
    """What is wrong, and the path of the field. ``text``: the library's words, which may quote even a card's number;
    ``shape``: the type that was expected; ``sent``: what was sent instead, as parsed."""
    if found := _UNKNOWN.fullmatch(text):
        if not _NAME.fullmatch(found[1]):
            return f"{_('It has an unknown field.')} {_takes(shape, found[2], sent)}", found[2] or None
        unknown = _('Unknown field "%(name)s".', name=found[1])
        return f"{unknown} {_takes(shape, found[2], sent)}", _path(found[2], found[1])
    if found := _MISSING.fullmatch(text):
        return _("%(name)s is missing.", name=found[1]), _path(found[2], found[1])
    found = _AT.fullmatch(text)
    said, where = (found[1], found[2] or None) if found else (text, None)
    if where == "amount_minor" and said.endswith("got `decimal`"):
        return _(WHOLE_MINOR), where
    return _plain(said), where


def _plain(said: str) -> str:
    if said.startswith("Invalid"):
        return _("Write it as a UUID.") if "UUID" in said else _("This value is not accepted here.")
    if " matching regex" in said:
        return _("It is too long, or has characters that are not allowed here.")
    if found := _LENGTH.fullmatch(said):
        return _length(found[1], int(found[3]), least=found[2] == ">=")
    if found := _BOUND.fullmatch(said):
        return _(MORE_OR_LESS[found[1]], bound=found[2])
    if found := _EXPECTED.fullmatch(said):
        wanted = _(" or ").join(_(KINDS.get(word.strip(), N_("another value"))) for word in found[1].split("|"))
        got = _(KINDS.get(found[2] or "", ""))
        return (
            _("Send %(wanted)s, not %(got)s.", wanted=wanted, got=got) if got else _("Send %(wanted)s.", wanted=wanted)
        )
    return f"{said.replace('`', '')}."


def _length(kind: str, number: int, *, least: bool) -> str:
    if kind == "str":
        if least:
            return ngettext("Send at least %(num)d character.", "Send at least %(num)d characters.", number)
        return ngettext("Send at most %(num)d character.", "Send at most %(num)d characters.", number)
    if kind == "array":
        if least:
            return ngettext("Send at least %(num)d item.", "Send at least %(num)d items.", number)
        return ngettext("Send at most %(num)d item.", "Send at most %(num)d items.", number)
    if least:
        return ngettext("Send at least %(num)d field.", "Send at least %(num)d fields.", number)
    return ngettext("Send at most %(num)d field.", "Send at most %(num)d fields.", number)


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
    if not names:
        return _("This request takes no fields.")
    return _("This request takes %(names)s.", names=", ".join(names))


def _path(*parts: str | None) -> str:
    return ".".join(part for part in parts if part)
