"""What lies in a backup file: records of ``kind, 1 byte | length, 4 bytes | payload``, in this order and no other.

``M`` the manifest; per table, in the manifest's order, ``T`` its name, ``D`` parts of its ``COPY … BINARY`` stream and
``E`` its number of rows; ``B`` one object of the store: 2 bytes for the length of its name, the name, the bytes; ``Z``
the summary. Words and numbers are JSON.
"""

import struct
from collections.abc import Iterator
from datetime import datetime

import msgspec

from app.backup.sealed import BackupRefused, SealedReader, SealedWriter

MANIFEST, TABLE, DATA, TABLE_END, BLOB, SUMMARY = b"M", b"T", b"D", b"E", b"B", b"Z"
LARGEST = 64 * 1024 * 1024  # bytes of one record; an object has at most 16 MB, a part of a COPY stream far less

_HEAD = struct.Struct(">cI")
_NAME = struct.Struct(">H")
_FOLLOWS = {  # which kinds may stand behind each
    b"": {MANIFEST},
    MANIFEST: {TABLE, BLOB, SUMMARY},
    TABLE: {DATA, TABLE_END},
    DATA: {DATA, TABLE_END},
    TABLE_END: {TABLE, BLOB, SUMMARY},
    BLOB: {BLOB, SUMMARY},
    SUMMARY: set[bytes](),
}


class Table(msgspec.Struct, frozen=True):
    """A table and its columns as ``(name, type)``: a binary COPY goes only where the same ones are."""

    name: str
    columns: list[tuple[str, str]]


class Manifest(msgspec.Struct, frozen=True):
    """What is backed up: when, at which state of the migrations, which tables with parents before children."""

    made_at: datetime
    migrations: list[str]
    tables: list[Table]


class Summary(msgspec.Struct, frozen=True):
    """What came of it. ``missing`` names objects that rows speak of and the store did not have; ``retired`` those that
    were deleted in good order between the snapshot and their turn."""

    rows: dict[str, int]
    sequences: dict[str, int]
    blobs: int
    blob_bytes: int
    missing: list[str]
    retired: list[str]


def add(file: SealedWriter, kind: bytes, payload: bytes) -> None:
    file.write(_HEAD.pack(kind, len(payload)) + payload)


def add_words(file: SealedWriter, kind: bytes, words: object) -> None:
    add(file, kind, msgspec.json.encode(words))


def add_blob(file: SealedWriter, name: str, data: bytes) -> None:
    add(file, BLOB, _NAME.pack(len(name)) + name.encode() + data)


def blob_of(payload: bytes) -> tuple[str, bytes]:
    start = _NAME.size + _NAME.unpack_from(payload)[0]
    return payload[_NAME.size : start].decode(), payload[start:]


def records(file: SealedReader) -> Iterator[tuple[bytes, bytes]]:
    """Every record as ``(kind, payload)``, to the end. Raises BackupRefused where the order is not the one above."""
    before = b""
    while before != SUMMARY:
        head = file.read(_HEAD.size)
        kind, length = _HEAD.unpack(head) if head else (b"", 0)
        if kind not in _FOLLOWS[before] or length > LARGEST:
            raise BackupRefused("The contents of the file are not in order: it was not written by this BitLoot.")
        payload = file.read(length)
        if len(payload) < length:
            raise BackupRefused("The file ends in the middle. Take another copy.")
        yield kind, payload
        before = kind
    if file.read(1):
        raise BackupRefused("The file has extra data at its end. Take another copy.")


def examine(file: SealedReader) -> tuple[Manifest, Summary]:
    """Read a file to its very end, changing nothing: its manifest and summary. Raises BackupRefused."""
    found = {kind: payload for kind, payload in records(file) if kind in {MANIFEST, SUMMARY}}
    return (
        msgspec.json.decode(found[MANIFEST], type=Manifest),
        msgspec.json.decode(found[SUMMARY], type=Summary),
    )
