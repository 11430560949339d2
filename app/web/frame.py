"""Around every request: its id, its log line, its metrics, the security headers, the viewer."""

import re
import time
from typing import Any, cast
from uuid import uuid4

from litestar import Request
from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from app.core import log, metrics
from app.core.settings import settings
from app.web import cart
from app.web.viewer import viewer_of

QUIET = ("/healthz", "/readyz", "/metrics", "/static/", "/covers/")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
CONTENT_SECURITY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Frame(ASGIMiddleware):
    """One middleware for what every answer has in common: each further layer would cost every request."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request: Request[Any, Any, Any] = Request(scope)
        request.state.viewer = viewer_of(request)
        request.state.cart_count = cart.count(request)
        given = request.headers.get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid4().hex
        began, status = time.perf_counter(), 500

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _dress(MutableScopeHeaders.from_message(message), request_id, scope["path"])
            await send(message)

        with log.bound(request_id=request_id):
            try:
                await next_app(scope, receive, framed)
            finally:
                _account(cast(HTTPScope, scope), status, time.perf_counter() - began)


def _dress(headers: MutableScopeHeaders, request_id: str, path: str) -> None:
    headers["x-request-id"] = request_id
    for name, value in HEADERS.items():
        headers.setdefault(name, value)
    if path.startswith("/api/docs"):
        # The interactive API pages bring their own inline start-up script.
        headers["content-security-policy"] = "default-src 'self' 'unsafe-inline' data:; frame-ancestors 'none'"
    if settings().production:
        headers.setdefault("strict-transport-security", "max-age=31536000; includeSubDomains")


def _account(scope: HTTPScope, status: int, seconds: float) -> None:
    route = str(scope.get("path_template") or "unmatched")
    metrics.REQUESTS.labels(scope["method"], route, str(status)).observe(seconds)
    if not scope["path"].startswith(QUIET):
        log.get("bitloot.web").info(
            "request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1)
        )
