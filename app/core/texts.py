"""Texts from elsewhere as people may read them: without markup, entities, and what can't be stored or deceives."""

import html
import re

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_UNSEEN = re.compile(r"<!--.*?-->|<(script|style)\b[^>]*>.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_BREAK = re.compile(r"<(?:br|hr)\b[^>]*>|</(?:p|div|li|ul|ol|tr|table|h[1-6])\s*>", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# Control characters but for line breaks and tabs, and marks that change the direction of what is read.
_DECEIVING = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff]")
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n\s*\n\s*")
TIMES = 3  # an entity may have been escaped more than once


def unstorable(text: str) -> bool:
    """Whether a text holds what Postgres can't keep: NUL, or half of a surrogate pair."""
    return _UNSTORABLE.search(text) is not None


def plain(text: str) -> str:
    """A text of several lines without tags, entities and control characters; paragraphs stay apart."""
    text = _UNSTORABLE.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    for _ in range(TIMES):
        before = text
        text = _TAG.sub("", _BREAK.sub("\n", _UNSEEN.sub("", text)))
        text = _ENTITY.sub(lambda found: html.unescape(found.group()), text)
        if text == before:
            break
    text = _DECEIVING.sub("", _UNSTORABLE.sub("", text))
    lines = "\n".join(line.strip() for line in _SPACES.sub(" ", text).split("\n"))
    return _BLANK_LINES.sub("\n\n", lines).strip()


def line(text: str) -> str:
    """The same as one line."""
    return " ".join(plain(text).split())
