"""The texts that people read, in their language. English stands in the code, other languages in ``locale/``.

``_("Order %(number)s", number=…)`` is the text in the language of the request or letter at hand. A constant is marked
by ``N_("…")`` where it stands, and looked up by ``_`` where it is shown. ``make texts`` collects both.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.core import negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from app.core.files import shipped
from app.core.settings import settings

SOURCE = "en"
PSEUDO = "en-XA"  # English with accents, in brackets: what is shown without them is not translatable
CATALOG = "LC_MESSAGES/messages.po"  # below locale/<language>/
LONGEST_ACCEPTED = 200  # characters of an Accept-Language header that are looked at
LONGEST_NAME = 35  # characters of a language's name (RFC 5646, 4.4.1)
WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")  # RFC 9110, 12.4.2
_KEPT = re.compile(r"%\(\w+\)[sd]|%%|\{\w*\}|<[^>]*>|&#?\w+;")
_ACCENTS = str.maketrans("aceinouyACEINOUY", "åçéîñöûýÅÇÉÎÑÖÛÝ")
_language: ContextVar[str] = ContextVar("language", default=SOURCE)


def N_(text: str) -> str:
    """Marks a constant as a text to translate, and leaves it as it is."""
    return text


def _(text: str, /, **values: object) -> str:
    """``text`` in the language at hand. ``values`` fill its ``%(name)s``; without them a ``%`` is a ``%``."""
    found = lookup(text)
    return found % values if values else found


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """The form for ``number``, which may stand in it as ``%(num)d``."""
    return lookup_plural(one, many, number) % {"num": number, **values}


def lookup(text: str) -> str:
    """``text`` in the language at hand; as it is where the catalog lacks it. Empty stays empty: gettext's own "" is the
    catalog's header."""
    language = _language.get()
    return text if language == SOURCE or not text else _catalog(language).gettext(text)


def lookup_plural(one: str, many: str, number: int) -> str:
    language = _language.get()
    if language == SOURCE:
        return one if number == 1 else many
    return _catalog(language).ngettext(one, many, number)


def language() -> str:
    """The language at hand, as BCP 47 and ``<html lang>`` write it."""
    return _language.get()


@contextmanager
def speaking(chosen: str) -> Iterator[None]:
    """Whatever is looked up inside is in this language, in this task and those it starts."""
    token = _language.set(chosen)
    try:
        yield
    finally:
        _language.reset(token)


@lru_cache(maxsize=1)
def languages() -> tuple[str, ...]:
    """What we ship, English first; the pseudo-language only where nobody shops."""
    found = sorted(path.parents[1].name for path in shipped("locale").glob(f"*/{CATALOG}"))
    return (SOURCE, *found, *(() if settings().production else (PSEUDO,)))


def known(name: str) -> str:
    """``name`` where it is one of ours, else English: for what was kept from before, or by somebody else."""
    return name if name in languages() else SOURCE


@lru_cache(maxsize=512)
def choose(cookie: str, accepted: str) -> str:
    """The language for a cookie's value and an Accept-Language header (RFC 9110, 12.5.4), else English.

    The caller cuts both: what is kept here is kept whole.
    """
    if cookie in languages():
        return cookie
    found = negotiate_locale(_by_preference(accepted), languages(), sep="-") or SOURCE
    spelled = {name.lower(): name for name in languages()}  # Babel answers in the caller's spelling
    return spelled.get(found.lower(), SOURCE)


def _by_preference(accepted: str) -> list[str]:
    weighed = []
    for part in accepted.split(","):
        name, _sep, given = part.strip().partition(";q=")
        if name and WEIGHT.fullmatch(given or "1") and (weight := Decimal(given or 1)) > 0:
            weighed.append((weight, name))
    return [name for _weight, name in sorted(weighed, key=lambda pair: pair[0], reverse=True)]


@lru_cache(maxsize=32)
def _catalog(name: str) -> NullTranslations:
    if name == PSEUDO:
        return _Pseudo()
    path = shipped("locale") / name / CATALOG
    return read(path, name) if path.is_file() else NullTranslations()


def read(path: Path, name: str) -> GNUTranslations:
    """The catalog in a ``.po`` file, compiled in memory. ``name``: of its language, such as ``pt-BR``."""
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=name.replace("-", "_")))
    compiled.seek(0)
    return GNUTranslations(compiled)


class _Pseudo(NullTranslations):
    """Made of the source itself, so it is complete at any time."""

    def gettext(self, message: str) -> str:
        return accented(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return accented(msgid1 if n == 1 else msgid2)


def accented(text: str) -> str:
    """``[Öþéñ]``: readable, and plain to see. Placeholders and markup stay."""
    if not text or text.startswith("⟦"):
        return text
    kept = _KEPT.findall(text)
    words = [part.translate(_ACCENTS) for part in _KEPT.split(text)]
    return "⟦" + "".join(word + (kept[n] if n < len(kept) else "") for n, word in enumerate(words)) + "⟧"
