"""Email addresses: whether one can be written to, how it is shown, and what was probably meant."""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Protocol

from app.core.errors import Invalid
from app.core.i18n import _
from app.core.settings import settings
from app.mail.recipients import LONGEST, LONGEST_NAME, Unmailable, carried, check_reachable

COMMON = (
    "gmail.com",
    "outlook.com",
    "hotmail.com",
    "yahoo.com",
    "icloud.com",
    "proton.me",
    "protonmail.com",
    "live.com",
    "aol.com",
    "gmx.de",
    "web.de",
    "gmx.net",
    "mail.com",
    "yandex.ru",
    "mail.ru",
    "hotmail.co.uk",
    "yahoo.co.uk",
    "yahoo.fr",
    "orange.fr",
    "free.fr",
    "libero.it",
)
COLUMN = 320  # characters that our tables have room for
CLOSE = 0.8  # similarity from which a domain is taken for a slip of the fingers


# What is pasted along with an address and seen by nobody: zero-width spaces, soft hyphens, marks of direction.
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u180e\u200b\u200e\u200f\u2060\ufeff"))
_JOINERS = "\u200c\u200d"  # mean something inside a word of some scripts, and nothing at its ends
# Keyboards for Chinese, Japanese and Korean write ASCII in full width.
_FULL_WIDTH = {0xFF01 + n: 0x21 + n for n in range(94)} | {ord("。"): ".", ord("．"): ".", ord("﹫"): "@", 0x3000: " "}
_PART = r'[^@＠﹫\s\x00-\x20\x7f-\xa0<>()\[\],;:"\\\u202a-\u202e\u2066-\u2069]'
SHAPE = rf"{_PART}{{1,{LONGEST_NAME}}}[@＠﹫]{_PART}+[.。．]{_PART}+"  # all that a first look can tell of an address


class BadEmail(Invalid):
    title = "That email address can't be used"


@dataclass(frozen=True, slots=True)
class Address:
    """``email``: the form that mail carries, and by which addresses are compared. ``typed``: as its owner writes it."""

    email: str
    typed: str

    @property
    def kept_typed(self) -> str | None:
        """``typed`` where it says more than ``email``; upper case alone says nothing."""
        return self.typed if self.typed.lower() != self.email else None


def clean(text: str) -> str:
    """What a person meant to type: without blanks around it, unseen characters, and full-width spellings."""
    return text.translate(_UNSEEN).translate(_FULL_WIDTH).strip().strip(_JOINERS).strip()


def read(text: object) -> Address:
    """An address that a letter can reach. Raises BadEmail, saying what to do, for anything else."""
    typed = _one_line(text)
    try:
        email = carried(typed)
        check_reachable(email, test_domain=not settings().production)
    except Unmailable as why:
        raise BadEmail(str(why), field="email") from None
    return Address(email, typed)


def parse(text: object) -> str:
    """The form that mail carries of an address, by which addresses are compared. Raises BadEmail."""
    return read(text).email


def taken(text: object) -> Address:
    """An address as a merchant knows it: whatever has the shape of one, though no letter of ours may reach it.

    Raises BadEmail only for what is no address.
    """
    if not isinstance(text, str) or not re.fullmatch(SHAPE, text.strip()):
        raise BadEmail("Enter an email address like name@example.com.", field="email")
    typed = clean(text)
    try:
        return Address(carried(typed), typed)
    except Unmailable:
        return Address(typed.lower()[:COLUMN], typed)


def _one_line(text: object) -> str:
    typed = clean(text) if isinstance(text, str) else ""
    if not typed:
        raise BadEmail("Enter your email address.", field="email")
    if len(typed) > LONGEST or not typed.isprintable():
        raise BadEmail(
            _("Enter one email address, at most %(longest)s characters long.", longest=LONGEST), field="email"
        )
    return typed


def key(text: str) -> str:
    """What a typed address is looked up by: the form mail carries, or its lower case where it has none. Never fails."""
    typed = clean(text)
    try:
        return carried(typed)
    except Unmailable:
        return typed.lower()


class Addressed(Protocol):
    """A row with an order's address: the form that mail carries, and as its owner once wrote it, maybe of old."""

    @property
    def email(self) -> str: ...
    @property
    def email_typed(self) -> str | None: ...


def shown(row: Addressed) -> str:
    """An order's address as its owner writes it."""
    typed = row.email_typed
    return typed if typed and key(typed) == row.email else row.email


def probably_meant(email: str) -> str | None:
    """The address with its domain corrected, if the domain looks like a slip for a common one."""
    name, at, domain = clean(email).lower().rpartition("@")
    if not at or not name or domain in COMMON:
        return None
    close = get_close_matches(domain, COMMON, n=1, cutoff=CLOSE)
    return f"{name}@{close[0]}" if close else None


def masked(email: str) -> str:
    """``a•••@example.com``: enough to recognise one's own."""
    name, _, domain = email.rpartition("@")
    return f"{name[:1]}•••@{domain}"
