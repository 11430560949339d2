"""Reading keys out of what an owner pastes or uploads. Pure. No error shows any of what was read."""

import base64
import csv
import io
from collections.abc import Iterable, Sequence

import msgspec

from app.core.crypto import Plaintext
from app.core.errors import Invalid
from app.core.i18n import _

LONGEST = 500  # characters of a key
LARGEST_IMAGE = 256 * 1024  # bytes of an image of a key
MOST = 5000  # keys an import: one transaction seals and stores them all
COLUMNS = {"key", "keys", "code", "serial", "cd key", "cdkey", "game key", "license", "licence"}
IMAGES = {  # by how a file begins: what its name ends in proves nothing
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


class UnreadableKeys(Invalid):
    title = "These keys can’t be imported"


class NewKey(msgspec.Struct, frozen=True):
    """A key as a supplier gives it: ``serial`` is its text, or an image's file in base64."""

    media_type: str
    serial: Plaintext


class Upload(msgspec.Struct, frozen=True):
    """A file as it was sent."""

    name: str
    content: bytes

    def __repr__(self) -> str:
        return f"<Upload of {len(self.content)} bytes, hidden>"


def read(pasted: str, uploads: Iterable[Upload]) -> list[NewKey]:
    """All keys of a text, one a line, and of files: CSV, text or an image each. Raises UnreadableKeys."""
    found = _of_lines(pasted.splitlines(), _("The text"))
    for upload in uploads:
        if upload.content:
            found += _of_file(upload)
    if not found:
        raise UnreadableKeys("Paste at least one key, or choose a file.", field="keys")
    if len(found) > MOST:
        raise UnreadableKeys(
            _("Import at most %(most)s keys at a time: these are %(number)s.", most=MOST, number=len(found)),
            field="keys",
        )
    return found


def _of_file(upload: Upload) -> list[NewKey]:
    media_type = next((kind for start, kind in IMAGES.items() if upload.content.startswith(start)), None)
    if media_type is not None:
        if len(upload.content) > LARGEST_IMAGE:
            raise _wrong(upload.name, _("an image may have %(largest)s kB", largest=LARGEST_IMAGE // 1024))
        return [NewKey(media_type, Plaintext(base64.b64encode(upload.content)))]
    try:
        text = upload.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong(upload.name, _("it is neither text in UTF-8 nor a PNG, JPEG or GIF image")) from None
    if upload.name.lower().endswith(".csv"):
        return _of_lines(_column(upload.name, text), upload.name)
    return _of_lines(text.splitlines(), upload.name)


def _column(name: str, text: str) -> list[str]:
    """The column of keys, by its heading, else the first; a heading is no key."""
    delimiter = ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error:
        raise _wrong(name, _("its quotation marks do not match")) from None
    heading = [cell.strip().lower() for cell in rows[0]] if rows else []
    at = next((number for number, cell in enumerate(heading) if cell in COLUMNS), None)
    if at is None:
        return [row[0] if row else "" for row in rows]
    return ["", *(row[at] if len(row) > at else "" for row in rows[1:])]


def _of_lines(lines: Sequence[str], where: str) -> list[NewKey]:
    found = []
    for number, line in enumerate(lines, 1):
        key = line.strip()
        if not key:
            continue
        if len(key) > LONGEST:
            raise _wrong(
                where, _("line %(number)s is longer than %(longest)s characters", number=number, longest=LONGEST)
            )
        if not key.isprintable():
            raise _wrong(where, _("line %(number)s has a character that can’t be shown", number=number))
        found.append(NewKey("text/plain", Plaintext(key.encode())))
    return found


def _wrong(where: str, why: str) -> UnreadableKeys:
    return UnreadableKeys(_("%(where)s: %(why)s. Nothing was imported.", where=where[:80], why=why), field="keys")
