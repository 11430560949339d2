"""Sealing game keys: AES-256-GCM (NIST SP 800-38D) with a data key per order, itself wrapped by a master key.

A blob is ``0x01 | 12-byte IV | ciphertext | 16-byte tag``. What it belongs to is bound as associated data,
so a blob moved to another order, item or place does not open. Nothing that holds a secret here can be
printed, pickled or serialised, and no error shows content.
"""

import base64
import binascii
import hmac
import os
import re
from dataclasses import dataclass
from typing import NoReturn, Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"\x01"
KEY_BYTES = 32
IV_BYTES = 12
TAG_BYTES = 16

_ID = re.compile(r"[A-Za-z0-9_.-]{1,32}")  # as wide as the column that keeps it


class SealBroken(Exception):
    """A blob or wrapped key that does not open: tampered with, truncated, moved, or of another key."""


class MasterKeyMissing(SealBroken):
    """The data key is wrapped by a master key that ``MASTER_KEYS`` no longer lists. The text names its id."""


class BadMasterKeys(ValueError):
    """``MASTER_KEYS`` can't be used. The text says which entry and why, never what stands in it."""


class _Hidden:
    """Holds secret bytes. ``str``, ``repr``, ``format`` show the type only; it can't be copied or pickled."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = bytes(secret)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} hidden>"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} can't be copied or pickled")


class Plaintext(_Hidden):
    """An opened game key. Only ``reveal`` shows it, so every place that does can be found by that word."""

    __slots__ = ()

    def reveal(self) -> bytes:
        return self._secret

    def equals(self, other: "Plaintext") -> bool:
        return hmac.compare_digest(self._secret, other._secret)


class DataKey(_Hidden):
    """One order's AES-256 key. ``secret`` are 32 bytes; anything else raises ValueError."""

    __slots__ = ()

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError("a data key has 32 bytes")
        super().__init__(secret)

    @classmethod
    def random(cls) -> Self:
        return cls(os.urandom(KEY_BYTES))

    def seal(self, plaintext: Plaintext, *, order_id: UUID | str, item_id: UUID | str, ordinal: int) -> bytes:
        """The blob of ``plaintext``, bound to its place: ``ordinal`` counts from 0 within the item."""
        return _seal(self._secret, plaintext.reveal(), _place(order_id, item_id, ordinal))

    def open(self, blob: bytes, *, order_id: UUID | str, item_id: UUID | str, ordinal: int) -> Plaintext:
        """What ``seal`` closed for the same place. Raises SealBroken."""
        return Plaintext(_open(self._secret, blob, _place(order_id, item_id, ordinal)))


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it may be stored: ``blob`` opens under that master key, for its own order only."""

    master_key_id: str
    blob: bytes


class MasterKeys:
    """The keys that wrap data keys. The first wraps, all unwrap: a new one goes first, old ones fade out."""

    __slots__ = ("_keys", "current_id")

    def __init__(self, keys: dict[str, bytes]) -> None:
        self._keys = {ident: _Hidden(key) for ident, key in keys.items()}
        self.current_id = next(iter(keys))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Keys from ``id:base64,id2:base64``, ids of 1 to 32 of ``A-Za-z0-9_.-``, keys of 32 bytes.

        Raises BadMasterKeys.
        """
        keys: dict[str, bytes] = {}
        for number, entry in enumerate(text.split(","), start=1):
            ident, colon, encoded = entry.strip().partition(":")
            if not colon or not _ID.fullmatch(ident):
                raise BadMasterKeys(f"entry {number} is not id:base64")
            if ident in keys:
                raise BadMasterKeys(f"entry {number} repeats the id of an earlier one")
            keys[ident] = _master_key(encoded, number)
        return cls(keys)

    @staticmethod
    def draw(ident: str) -> str:
        """A fresh ``id:base64`` entry for ``MASTER_KEYS``. Secret: it belongs where settings live only."""
        return f"{ident}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"

    def wrap(self, data_key: DataKey, *, order_id: UUID | str) -> WrappedKey:
        blob = _seal(self._keys[self.current_id]._secret, data_key._secret, _owner(self.current_id, order_id))
        return WrappedKey(self.current_id, blob)

    def unwrap(self, wrapped: WrappedKey, *, order_id: UUID | str) -> DataKey:
        """The data key of that order. Raises SealBroken, MasterKeyMissing where its master key is unknown."""
        holder = self._keys.get(wrapped.master_key_id)
        if holder is None:
            raise MasterKeyMissing(f"no master key {wrapped.master_key_id!r}")
        secret = _open(holder._secret, wrapped.blob, _owner(wrapped.master_key_id, order_id))
        if len(secret) != KEY_BYTES:
            raise SealBroken("not a data key")
        return DataKey(secret)

    @property
    def ids(self) -> list[str]:
        """The ids of all keys listed, the wrapping one first."""
        return list(self._keys)

    def rewrap(self, wrapped: WrappedKey, *, order_id: UUID | str) -> WrappedKey:
        """The same data key under the first master key, unchanged if already there. Raises SealBroken."""
        if wrapped.master_key_id == self.current_id:
            return wrapped
        return self.wrap(self.unwrap(wrapped, order_id=order_id), order_id=order_id)

    def derive(self, ident: str, purpose: str, *, salt: bytes) -> bytes:
        """32 bytes for another use, drawn from that master key. Raises MasterKeyMissing."""
        holder = self._keys.get(ident)
        if holder is None:
            raise MasterKeyMissing(f"no master key {ident!r}")
        return derive(holder._secret, purpose, salt=salt)

    def seal(self, plain: Plaintext, *, owner: str) -> bytes:
        """A small secret of our own under the first master key, bound to its owner; it names the key it needs."""
        ident = self.current_id.encode()
        sealed = _seal(self._keys[self.current_id]._secret, plain.reveal(), _holder(self.current_id, owner))
        return bytes([len(ident)]) + ident + sealed

    def open(self, sealed: bytes, *, owner: str) -> Plaintext:
        """What ``seal`` closed for that owner. Raises SealBroken, MasterKeyMissing."""
        ident = sealed_under(sealed)
        holder = self._keys.get(ident)
        if holder is None:
            raise MasterKeyMissing(f"no master key {ident!r}")
        return Plaintext(_open(holder._secret, sealed[1 + len(ident) :], _holder(ident, owner)))

    def __repr__(self) -> str:
        return f"<MasterKeys of {len(self._keys)}, hidden>"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("MasterKeys can't be copied or pickled")


def sealed_under(sealed: bytes) -> str:
    """The id of the master key that opens what ``MasterKeys.seal`` closed."""
    return sealed[1 : 1 + sealed[0]].decode("ascii", "replace") if sealed else ""


def _master_key(encoded: str, number: int) -> bytes:
    try:
        # URL-safe letters are taken as well: both alphabets come out of common key generators.
        key = base64.b64decode(encoded.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        # From None, because the original error may quote the input.
        raise BadMasterKeys(f"entry {number} is not base64") from None
    if len(key) != KEY_BYTES:
        raise BadMasterKeys(f"the key of entry {number} has {len(key)} bytes, not {KEY_BYTES}")
    return key


def derive(secret: str | bytes, purpose: str, *, salt: bytes | None = None) -> bytes:
    """32 bytes for one purpose (HKDF-SHA256, RFC 5869): what is made for one tells nothing about another's."""
    given = secret.encode() if isinstance(secret, str) else secret
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=salt, info=purpose.encode()).derive(given)


def bound(*parts: bytes) -> bytes:
    """Each part after its length, so that no two lists of parts give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _place(order_id: UUID | str, item_id: UUID | str, ordinal: int) -> bytes:
    return bound(b"bitloot key", str(order_id).encode(), str(item_id).encode(), ordinal.to_bytes(8, "big"))


def _owner(master_key_id: str, order_id: UUID | str) -> bytes:
    return bound(b"bitloot data key", master_key_id.encode(), str(order_id).encode())


def _holder(master_key_id: str, owner: str) -> bytes:
    return bound(b"bitloot secret", master_key_id.encode(), owner.encode())


def _seal(key: bytes, plain: bytes, bound: bytes) -> bytes:
    iv = os.urandom(IV_BYTES)
    return VERSION + iv + AESGCM(key).encrypt(iv, plain, VERSION + bound)


def _open(key: bytes, blob: bytes, bound: bytes) -> bytes:
    if len(blob) < len(VERSION) + IV_BYTES + TAG_BYTES or blob[:1] != VERSION:
        raise SealBroken("not one of our blobs")
    try:
        return AESGCM(key).decrypt(blob[1 : 1 + IV_BYTES], blob[1 + IV_BYTES :], VERSION + bound)
    except InvalidTag:
        raise SealBroken("the blob does not open here") from None
