"""An object store behind the sandbox's faults and holds, at `/store`: what it lets through, a real S3 server answers.

Only where `SANDBOX_STORE_URL` names one, on this machine. Paths are kept, so a bucket is `/store/<bucket>`; the S3
server must not verify signatures, which cover the address that was asked.
"""

from __future__ import annotations

import httpx
from litestar import asgi
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Scope, Send

from dev.sandbox.fault_middleware import FaultAnswer, fault_middleware
from dev.sandbox.holds import holding, read_body
from dev.sandbox.loopback import is_loopback_url
from dev.sandbox.switches import STORE
from dev.sandbox.world import World

PREFIX = "/store"
PATIENCE = 15.0  # seconds for the S3 server's answer
HOP_BY_HOP = frozenset({b"host", b"connection", b"expect", b"transfer-encoding", b"content-length", b"keep-alive"})


def handler(world: World) -> ASGIRouteHandler:
    """The one handler, behind holds and faults."""
    shop = Store(world.config.store_url)
    guarded = holding(STORE, world.holds, face)(fault_middleware(STORE, world.switches, face)(shop))

    async def heard_out(scope: Scope, receive: Receive, send: Send) -> None:
        # An answer before the body was read would leave it on the line, in front of the caller's next request.
        _, again = await read_body(receive)
        await guarded(scope, again, send)

    return asgi(PREFIX, is_mount=True, copy_scope=False)(heard_out)


class Store:
    """Hands requests on to the S3 server and its answers back."""

    def __init__(self, url: str) -> None:
        self._url = url if is_loopback_url(url) else ""
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, _ = await read_body(receive)
        status, headers, content = await self._ask(scope, body) if self._url else (404, [], b"")
        raw = [(name, value) for name, value in headers if name.lower() not in HOP_BY_HOP]
        length = str(len(content)).encode()
        if str(scope["method"]) == "HEAD":  # type: ignore[typeddict-item]
            length = next((value for name, value in headers if name.lower() == b"content-length"), b"0")
        raw.append((b"content-length", length))
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": content, "more_body": False})

    async def _ask(self, scope: Scope, body: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=PATIENCE, trust_env=False, follow_redirects=False)
        path = str(scope["raw_path"].decode("latin-1")).removeprefix(PREFIX)
        query = scope["query_string"].decode("latin-1")
        sent = [(name, value) for name, value in scope["headers"] if name.lower() not in HOP_BY_HOP]
        answer = await self._client.request(
            str(scope["method"]),  # type: ignore[typeddict-item]
            f"{self._url.rstrip('/')}{path}{'?' + query if query else ''}",
            headers=sent,
            content=body,
        )
        return answer.status_code, answer.headers.raw, answer.content


def face(mode: str, path: str, seconds: int) -> FaultAnswer:
    """How it looks when it fails: S3's errors are XML."""
    status, code = (429, "TooManyRequests") if mode == "rate_limit" else (500, "InternalError")
    body = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>Try again.</Message></Error>'
    return FaultAnswer(status, body.encode(), {"retry-after": str(seconds)} if status == 429 else {}, "application/xml")
