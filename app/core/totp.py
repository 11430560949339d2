"""Time-based one-time codes (RFC 6238, SHA-1, 6 digits, 30 s): what authenticator apps show. No library is worth it."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime

STEP_SECONDS = 30


def step_at(moment: datetime) -> int:
    """The number of the 30-second step a moment falls into."""
    return int(moment.timestamp()) // STEP_SECONDS


def code(secret: str, step: int) -> str:
    """The six digits of a step, for a base32 ``secret`` as authenticator apps take it. Raises ValueError."""
    try:
        key = base64.b32decode(secret.replace(" ", "").upper() + "=" * (-len(secret.replace(" ", "")) % 8))
    except binascii.Error:
        raise ValueError("the secret is not base32") from None
    digest = hmac.new(key, step.to_bytes(8), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFFFFFF
    return f"{number % 10**6:06d}"
