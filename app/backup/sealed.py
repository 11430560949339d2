"""The encryption of a backup file: AES-256-GCM in chunks, so that it streams and still refuses every change.

The file, all numbers big-endian::

    header   "BITLOOT\\0" | version, 1 byte | length of the key id, 1 byte | key id | salt, 32 bytes
    chunk    last?, 1 byte (0 or 1) | length, 4 bytes | ciphertext with its 16-byte tag        (repeated)

Each file has a key of its own: HKDF-SHA256 of the secret that the key id names, over the random salt. So the nonce can
be the chunk's number, counted from 0. Associated data are the header, that number and the last mark: a chunk that is
changed, moved, left out, repeated or taken from another file does not open, nor does a file that ends before its
last chunk or goes on behind it.

The key id is ``own:`` and a fingerprint where ``BACKUP_KEY`` is set, else ``master:`` and the id of the first master
key; either opens what it sealed for as long as the settings still hold it.
"""

import io
import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.crypto import MasterKeyMissing, MasterKeys, derive
from app.core.errors import Conflict
from app.core.i18n import _
from app.core.settings import Settings

MAGIC = b"BITLOOT\0"
VERSION = 1
SALT_BYTES = 32
TAG_BYTES = 16
CHUNK = 1024 * 1024  # bytes of plaintext; what is held in memory of a file of any size

_FRAME = struct.Struct(">BI")
_PURPOSE = "bitloot backup v1"
_ID_PURPOSE = "bitloot backup key id"


class BackupRefused(Conflict):
    """Nothing was done. The text says why, and what to do."""

    title = "That backup can't be used"


@dataclass(frozen=True)
class BackupKeys:
    """The secrets that may have sealed a backup of this shop. Never printed: both fields hide or are left out."""

    master: MasterKeys
    own: bytes = b""

    @classmethod
    def of(cls, s: Settings) -> "BackupKeys":
        master = MasterKeys.parse(s.master_keys.get_secret_value())
        return cls(master, s.backup_key.get_secret_value().encode())

    def __repr__(self) -> str:
        return "<BackupKeys hidden>"

    @property
    def own_id(self) -> str:
        return "own:" + derive(self.own, _ID_PURPOSE)[:4].hex()

    @property
    def current_id(self) -> str:
        """Which key seals the next backup."""
        return self.own_id if self.own else f"master:{self.master.current_id}"

    def of_file(self, key_id: str, salt: bytes) -> AESGCM:
        """The key of one file. Raises BackupRefused where its secret is none of ours."""
        kind, _colon, name = key_id.partition(":")
        purpose = f"{_PURPOSE} {key_id}"
        if self.own and key_id == self.own_id:
            return AESGCM(derive(self.own, purpose, salt=salt))
        if kind != "master":
            raise BackupRefused(
                "It was encrypted with another BACKUP_KEY than the one set here: set that one and try again."
            )
        try:
            return AESGCM(self.master.derive(name, purpose, salt=salt))
        except MasterKeyMissing:
            raise BackupRefused(
                _("It was encrypted with the master key '%(name)s': add it to MASTER_KEYS again.", name=name)
            ) from None


class SealedWriter:
    """Writes plaintext into ``file`` as sealed chunks. Without ``close`` the file is not whole and never opens."""

    def __init__(self, file: BinaryIO, keys: BackupKeys) -> None:
        self._file, self._number, self._waiting = file, 0, bytearray()
        key_id, salt = keys.current_id, os.urandom(SALT_BYTES)
        self._header = MAGIC + bytes([VERSION, len(key_id)]) + key_id.encode() + salt
        self._key = keys.of_file(key_id, salt)
        file.write(self._header)

    def write(self, data: bytes) -> None:
        self._waiting += data
        while len(self._waiting) > CHUNK:  # what is exactly a chunk waits, as it may be the last
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def close(self) -> None:
        """Write the last chunk; the file itself stays open."""
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, plain: bytes, *, last: bool) -> None:
        sealed = self._key.encrypt(_nonce(self._number), plain, _bound(self._header, self._number, last))
        self._file.write(_FRAME.pack(last, len(sealed)) + sealed)
        self._number += 1


class SealedReader:
    """Reads back what a ``SealedWriter`` wrote. Raises BackupRefused at the first chunk that is not as it was."""

    def __init__(self, file: BinaryIO, keys: BackupKeys) -> None:
        self._file, self._number, self._ready, self._ended = file, 0, io.BytesIO(), False
        head = file.read(len(MAGIC) + 2)
        if len(head) < len(MAGIC) + 2 or not head.startswith(MAGIC):
            raise BackupRefused("This file is not a BitLoot backup.")
        if head[-2] != VERSION:
            raise BackupRefused(
                _(
                    "It has format %(format)s, and this BitLoot reads format %(ours)s: use the version that wrote it.",
                    format=head[-2],
                    ours=VERSION,
                )
            )
        ident, salt = file.read(head[-1]), file.read(SALT_BYTES)
        self._header = head + ident + salt
        if len(salt) < SALT_BYTES:
            raise _damaged()
        self._key = keys.of_file(ident.decode("ascii", "replace"), salt)

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes exactly; b"" at the very end."""
        parts, wanted = [], size
        while wanted:
            part = self._ready.read(wanted)
            if not part and not self._next():
                break
            parts.append(part)
            wanted -= len(part)
        if 0 < wanted < size:
            raise _damaged()
        return b"".join(parts)

    def _next(self) -> bool:
        """Open the next chunk; False behind the last one."""
        if self._ended:
            return False
        frame = self._file.read(_FRAME.size)
        if len(frame) < _FRAME.size:
            raise _damaged()
        last, length = _FRAME.unpack(frame)
        if last > 1 or not TAG_BYTES <= length <= CHUNK + TAG_BYTES:
            raise _damaged()
        sealed = self._file.read(length)
        if len(sealed) < length:
            raise _damaged()
        self._ready = io.BytesIO(self._open(sealed, bool(last)))
        self._ended = bool(last)
        if self._ended and self._file.read(1):
            raise _damaged()
        return True

    def _open(self, sealed: bytes, last: bool) -> bytes:
        try:
            plain = self._key.decrypt(_nonce(self._number), sealed, _bound(self._header, self._number, last))
        except InvalidTag:
            raise _damaged() from None
        self._number += 1
        return plain


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def _bound(header: bytes, number: int, last: bool) -> bytes:
    return header + number.to_bytes(8, "big") + bytes([last])


def _damaged() -> BackupRefused:
    return BackupRefused(
        "The file is damaged or cut short, or was encrypted with another key of that name. Take another copy."
    )
