"""How a secret may lie about: all the ways in which a careless line writes down what it was given."""

import base64
import binascii
import json
from collections.abc import Iterable


def spellings(secret: str) -> set[bytes]:
    """The secret's bytes plain, cut into its parts' order backwards, in hex, base64 at any offset, and so on."""
    found: set[bytes] = set()
    for text in {secret, secret.swapcase(), secret.lower(), secret[::-1], secret.replace("-", "")}:
        raw = text.encode()
        found |= {raw, text.encode("utf-16-le"), text.encode("utf-16-be"), json.dumps(text)[1:-1].encode()}
        found |= {raw.hex().encode(), raw.hex().upper().encode(), "\\x".join(["", *_pairs(raw)]).encode()}
        found |= {"".join(f"%{byte:02X}" for byte in raw).encode(), "".join(f"%{byte:02x}" for byte in raw).encode()}
        found |= set(_base64(raw)) | set(_base64(raw.hex().encode()))
    with_bytes = _decoded(secret)
    return found | ({with_bytes, with_bytes.hex().encode()} if with_bytes else set())


def _pairs(raw: bytes) -> list[str]:
    return [f"{byte:02x}" for byte in raw]


def _base64(raw: bytes) -> Iterable[bytes]:
    """The part of the encoding that the bytes around it can't change, for each of three offsets, in both alphabets."""
    for shift in range(3):
        text = base64.b64encode(b"x" * shift + raw)[4 if shift else 0 :]
        inner = text.rstrip(b"=")[: -1 if len(raw) > 3 else None]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))


def _decoded(secret: str) -> bytes | None:
    """The bytes of a picture, which is handed out in base64."""
    try:
        raw = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if len(raw) > 60 else None


class Search:
    """Finds any spelling of any of the secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._spellings = sorted({spelt for secret in secrets for spelt in spellings(secret)})
        assert self._spellings
        assert min(map(len, self._spellings)) >= 12, "too short to mean anything"

    def in_(self, hay: bytes) -> list[str]:
        """What of them the bytes hold, shortened."""
        return [spelt[:12].decode("latin-1") for spelt in self._spellings if spelt in hay]
