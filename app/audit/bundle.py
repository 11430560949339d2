"""Statements that verify without us: a signed word about the chain's end, alone or below all of its lines.

A bundle is text: one JSON object a line, and below them the statement that covers them. A statement is JSON in JSON,
so that what was signed (Ed25519, RFC 8032) is there to the byte.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.audit.chain import Walk
from app.audit.models import Line
from app.core.i18n import _

ANCHORS = "audit/anchors/"  # where in the object store statements about the end are put, one an hour


class NotGenuine(Exception):
    """A statement or bundle that is not as we signed it. The text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Statement:
    """That the chain had ``seq`` lines and the last one this digest (hex); ``sha256`` of the lines above, if any."""

    seq: int
    digest: str
    at: str
    sha256: str | None = None

    def signed(self, key: Ed25519PrivateKey) -> bytes:
        text = json.dumps({"seq": self.seq, "digest": self.digest, "at": self.at, "sha256": self.sha256})
        parts = {"statement": text, "signature": _text(key.sign(text.encode())), "publicKey": public_text(key)}
        return json.dumps(parts).encode() + b"\n"


def anchor_name(at: datetime) -> str:
    """The object store's key for the hour of ``at``."""
    return f"{ANCHORS}{at.astimezone(UTC):%Y-%m-%dT%H}"


def public_text(key: Ed25519PrivateKey) -> str:
    """The public key in base64, as people pass it on."""
    return _text(key.public_key().public_bytes_raw())


def line(row: Line) -> bytes:
    """A stored line as a line of a bundle."""
    shown = {
        "seq": row.seq,
        "at": row.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "action": row.action,
        "orderId": str(row.order_id) if row.order_id else None,
        "keyId": str(row.key_id) if row.key_id else None,
        "actor": row.actor,
        "ip": row.ip,
        "userAgent": row.user_agent,
        "details": row.details,
        "previous": bytes(row.previous).hex(),
        "digest": bytes(row.digest).hex(),
    }
    return json.dumps(shown, ensure_ascii=False).encode() + b"\n"


def read_line(text: bytes) -> Line:
    """The stored line that a bundle's line shows. Raises ValueError, KeyError or TypeError where it shows none."""
    shown = json.loads(text)
    return Line(
        shown["seq"],
        datetime.fromisoformat(shown["at"]),
        shown["action"],
        UUID(shown["orderId"]) if shown["orderId"] else None,
        UUID(shown["keyId"]) if shown["keyId"] else None,
        shown["actor"],
        shown["ip"],
        shown["userAgent"],
        shown["details"],
        bytes.fromhex(shown["previous"]),
        bytes.fromhex(shown["digest"]),
    )


def read_statement(text: bytes, public_key: str) -> Statement:
    """A statement by the owner of ``public_key`` (base64). Raises NotGenuine."""
    try:
        parts = json.loads(text)
        signed = parts["statement"].encode()
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(parts["signature"], validate=True), signed)
        return Statement(**json.loads(signed))
    except InvalidSignature:
        raise NotGenuine(_("the signature is not by that key, or what it signed was changed")) from None
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise NotGenuine(_("it does not end in a signed statement, or the public key is not one")) from None


def verify(lines: Iterable[bytes], public_key: str, *, chain_key: bytes | None = None) -> Statement:
    """Read a bundle through, holding one line at a time. Raises NotGenuine.

    Without ``chain_key`` the digests are taken at the signature's word, with it each is computed anew.
    """
    walk, hashed, held, fault = Walk(chain_key), hashlib.sha256(), None, None
    for text in lines:
        if held is not None:
            hashed.update(held)
            fault = fault or _step(walk, held)
        held = text
    statement = read_statement(held or b"", public_key)
    if statement.sha256 != hashed.hexdigest():
        raise NotGenuine(
            _("its lines are not those that were signed: %(fault)s", fault=fault)
            if fault
            else _("its lines are not those that were signed")
        )
    if fault or (walk.seq, walk.digest.hex()) != (statement.seq, statement.digest):
        raise NotGenuine(fault or _("its lines do not end where the statement says"))
    return statement


def _step(walk: Walk, text: bytes) -> str | None:
    try:
        fault = walk.step(read_line(text))
    except (ValueError, KeyError, TypeError):
        return f"line {walk.seq + 1} can't be read"
    return str(fault) if fault else None


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
