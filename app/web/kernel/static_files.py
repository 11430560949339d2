"""What browsers and shared caches may keep of ``/static``: an address with a file's digest means these bytes alone.

Any other address of a file, such as one with a wrong or an old digest, is answered with the file as it is now and may
not be kept, so that no cache holds old bytes under a new address (RFC 9111).
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qs

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from app.core.files import shipped
from app.core.settings import settings

ROOT = shipped("static")
FOR_EVER = b"public, max-age=31536000, immutable"
NOT_KEPT = b"no-cache"


def address(path: str) -> str:
    """The address of a file under ``static/``, with its digest, so that it may be kept for ever."""
    return f"/static/{path}?v={digest(path)}"


def digest(path: str) -> str:
    """Of the file as it is; ten hex digits. Raises OSError where there is no such file."""
    file = ROOT / path
    return _digest(file, 0 if settings().production else file.stat().st_mtime_ns)


@lru_cache(maxsize=512)
def _digest(file: Path, _changed: int) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10]


class KeptByDigest(ASGIMiddleware):
    """Says of each file whether it may be kept."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        async def with_cache_control(message: Message) -> None:
            if message["type"] == "http.response.start":
                others = [pair for pair in message.get("headers", []) if pair[0].lower() != b"cache-control"]
                kept = message["status"] in {200, 206, 304} and _means_its_bytes(scope)
                message["headers"] = [*others, (b"cache-control", FOR_EVER if kept else NOT_KEPT)]
            await send(message)

        await next_app(scope, receive, with_cache_control)


def _means_its_bytes(scope: Scope) -> bool:
    named = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("v", [])
    path = scope["path"].removeprefix("/static/")
    try:
        return named == [digest(path)] and (ROOT / path).resolve().is_relative_to(ROOT.resolve())
    except (OSError, ValueError):
        return False
