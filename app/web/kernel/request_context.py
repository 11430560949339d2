"""Around every request: its id, its log line, its metrics, its language, the security headers, the viewer."""

import random
import re
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, cast

from litestar import Request
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from app.core import i18n, log, metrics
from app.core.settings import settings
from app.web.kernel.languages import language_of
from app.web.kernel.viewer import Viewer, viewer_of
from app.web.store import cart_cookie

QUIET = ("/healthz", "/readyz", "/metrics", "/static/", "/covers/")
HUNG_UP = 499  # for log and metrics alone, by the number that proxies use: the caller is gone
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
CONTENT_SECURITY = (
    b"default-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
]
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_log = log.get("bitloot.web")


class RequestContext(ASGIMiddleware):
    """One middleware for what every answer has in common: each further layer would cost every request."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request: Request[Any, Any, Any] = Request(scope)
        request_id = request_id_of(request)
        began: float = time.perf_counter()
        status: int | None = None

        async def framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = _merged(message.get("headers", []), security_headers(request_id))
            await send(message)

        async def received() -> Any:
            nonlocal status
            message = await receive()
            if message["type"] == "http.disconnect":
                request.state.hung_up = True
                status = HUNG_UP if status is None else status
            return message

        with log.bound(request_id=request_id), i18n.speaking(language_of(request)):
            try:
                public = scope["path"].startswith(QUIET)
                request.state.viewer = Viewer() if public else await viewer_of(request)
                request.state.cart_count = cart_cookie.count(request)
                await next_app(scope, received, framed)
            finally:
                _record_metrics(cast(HTTPScope, scope), status or 500, time.perf_counter() - began)


def has_hung_up(request: Request[Any, Any, Any]) -> bool:
    """Whether the caller went away while we waited for the rest of its request: nobody reads an answer."""
    return bool(getattr(request.state, "hung_up", False))


def request_id_of(request: Request[Any, Any, Any]) -> str:
    """The caller's own name for the request, if it is a sane one. A name for log lines, not a secret."""
    given = request.headers.get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else f"{random.getrandbits(96):024x}"


def security_headers(request_id: str) -> list[tuple[bytes, bytes]]:
    added = [(b"x-request-id", request_id.encode()), (b"content-security-policy", CONTENT_SECURITY), *HEADERS]
    return [*added, STRICT_TRANSPORT] if settings().production else added


def _merged(given: Iterable[tuple[bytes, bytes]], added: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """What an answer says of itself stands alone: of two content policies the browser would obey both."""
    given = list(given)
    if any(name == b"cache-control" and b"public" in value for name, value in given):
        given = [pair for pair in given if pair[0] != b"set-cookie"]  # kept by everybody, it can be nobody's
    own = {name for name, _ in given}
    return [*given, *(header for header in added if header[0] not in own)]


@lru_cache(maxsize=512)
def _timer(method: str, route: str, status: int) -> Any:
    return metrics.REQUESTS.labels(method, route, str(status))


def _record_metrics(scope: HTTPScope, status: int, seconds: float) -> None:
    route = str(scope.get("path_template") or "unmatched")
    _timer(scope["method"], route, status).observe(seconds)
    if not scope["path"].startswith(QUIET):
        _log.info("request", method=scope["method"], route=route, status=status, ms=round(seconds * 1000, 1))
