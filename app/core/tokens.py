"""Signed tokens: JSON Web Tokens (RFC 7519, HS256) for access, and the short ones in mailed links."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt

from app.core import clock
from app.core.settings import settings

ALGORITHM = "HS256"
MAC_LENGTH = 20  # bytes of HMAC-SHA256 kept in a link: 160 bits, far past guessing


def _secret() -> str:
    return settings().jwt_secret.get_secret_value()


def sign(kind: str, claims: Mapping[str, object], lifetime: timedelta) -> str:
    """A token of ``kind`` (``order``, ``session``): one kind is never taken for another."""
    now = clock.now()
    return jwt.encode({**claims, "typ": kind, "iat": now, "exp": now + lifetime}, _secret(), ALGORITHM)


def read(kind: str, token: str) -> dict[str, Any] | None:
    """The claims of a genuine, unexpired token of ``kind``; None for anything else."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token, _secret(), [ALGORITHM], options={"require": ["exp", "typ"], "verify_exp": False, "verify_iat": False}
        )
    except jwt.InvalidTokenError:
        return None
    # Compared here, because our clock can travel and the library's can't.
    if claims["typ"] != kind or not isinstance(claims["exp"], int) or claims["exp"] <= clock.now().timestamp():
        return None
    return claims


def link_token(link_id: UUID) -> str:
    """The token in a mailed link. Derived from the row's id, so that it stands in no table and no letter's context."""
    return base64.urlsafe_b64encode(link_id.bytes + _mac(link_id)).decode().rstrip("=")


def read_link_token(token: str) -> UUID | None:
    """The link's id, if the token is genuine."""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    if len(raw) != 16 + MAC_LENGTH:
        return None
    link_id = UUID(bytes=raw[:16])
    return link_id if hmac.compare_digest(raw[16:], _mac(link_id)) else None


def _mac(link_id: UUID) -> bytes:
    return hmac.new(_secret().encode(), b"link:" + link_id.bytes, hashlib.sha256).digest()[:MAC_LENGTH]
