"""Signatures of what we send. Pure.

``webhook-signature`` is Standard Webhooks' (v1: HMAC-SHA256 of ``id.timestamp.body`` under the secret's bytes, base64);
``X-Webhook-Signature`` is for simple receivers: hex HMAC-SHA256 of the body under the secret as it is shown.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from app.core.crypto import Plaintext
from app.webhooks.secrets import key, shown

SIGNATURES = ("webhook-signature", "x-webhook-signature", "x-webhook-signature-previous")


def headers(event_id: str, at: datetime, body: bytes, secrets: Sequence[Plaintext]) -> dict[str, str]:
    """The headers of one request. ``secrets``: the newest first, and in overlaps of rotations those before."""
    stamp = str(int(at.timestamp()))
    signed = f"{event_id}.{stamp}.".encode() + body
    made = {
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(_standard(signed, secret) for secret in secrets),
        "x-webhook-signature": _simple(body, secrets[0]),
    }
    if len(secrets) > 1:
        made["x-webhook-signature-previous"] = " ".join(_simple(body, secret) for secret in secrets[1:])
    return made


def _standard(signed: bytes, secret: Plaintext) -> str:
    return "v1," + base64.b64encode(hmac.new(key(secret), signed, hashlib.sha256).digest()).decode()


def _simple(body: bytes, secret: Plaintext) -> str:
    return hmac.new(shown(secret).encode(), body, hashlib.sha256).hexdigest()
