"""CSRF: Litestar's signed double-submit token, asked only of what rides on cookies."""

from typing import Any

from litestar import Request
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.exceptions import PermissionDeniedException
from litestar.middleware.csrf import CSRFMiddleware
from litestar.types import Receive, Scope, Send

from app.core.settings import settings
from app.web import errors
from app.web.viewer import ORDERS_COOKIE, SESSION_COOKIE

SAFE = {"GET", "HEAD", "OPTIONS"}
# Read no cookie and set none: the same for all, or shown in others' pages; what posts proves itself by a signed token
# or by an API key and its secret.
NO_COOKIES = ("/static/", "/embed/", "/sdk/", "/checkout.js", "/checkout.mjs", "/api/v1/")
OWN_PROOF = ("/webhooks/", "/payments/ipn", "/kinguin/webhooks")  # signed by their senders, who hold no cookie


def config() -> CSRFConfig:
    return CSRFConfig(
        secret=settings().jwt_secret.get_secret_value(),
        cookie_name="bitloot_csrf",
        header_name="x-csrf-token",
        cookie_secure=settings().frontend_url.startswith("https://"),
        cookie_httponly=True,
        cookie_samesite="lax",
    )


class Csrf(CSRFMiddleware):
    """A form always needs the token. JSON needs it only with our cookies: a foreign page can't send JSON unasked."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and (_no_cookies(scope) or (scope["method"] not in SAFE and _exempt(scope))):
            await self.app(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        except PermissionDeniedException as refused:
            # Answered here, inside the frame: so it has the headers of every answer, and is counted as what it is.
            request: Request[Any, Any, Any] = Request(scope)
            await errors.handle(request, refused).to_asgi_response(None, request)(scope, receive, send)


def _no_cookies(scope: Scope) -> bool:
    return scope["path"].startswith(NO_COOKIES)


def _exempt(scope: Scope) -> bool:
    if scope["path"].startswith(OWN_PROOF):
        return True
    headers = Headers.from_scope(scope)
    if headers.get("authorization", "").lower().startswith("bearer "):
        return True
    if not headers.get("content-type", "").lower().startswith("application/json"):
        return False
    cookies = headers.get("cookie", "")
    return ORDERS_COOKIE not in cookies and SESSION_COOKIE not in cookies
