"""Keys that look like keys: text serials, and small pictures of noise."""

from __future__ import annotations

import base64
import secrets
import struct
import zlib

from dev.sandbox.records import KeySlot
from dev.sandbox.world import letters

_SERIAL_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no 0/O and 1/I, as on printed cards
_SIDE = 48  # pixels


def new_key(*, image: bool) -> KeySlot:
    """A key nobody else has: `XXXXX-XXXXX-XXXXX`, or a PNG as base64."""
    serial = _picture() if image else "-".join([letters(5, _SERIAL_LETTERS) for _ in range(3)])
    return KeySlot(id=secrets.token_hex(12), serial=serial, type="image/png" if image else "text/plain")


def _picture() -> str:
    """A grey PNG whose upper half is random noise, so that no two are equal."""
    rows = [b"\x00" + (secrets.token_bytes(_SIDE) if y < _SIDE // 2 else b"\xee" * _SIDE) for y in range(_SIDE)]
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 0, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"".join(rows))) + _chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunks).decode()


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
