"""CSRF: Litestar's signed double-submit token, asked only of what rides on cookies."""

from typing import Any

from litestar import Request
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.exceptions import PermissionDeniedException
from litestar.middleware.csrf import CSRFMiddleware
from litestar.types import Receive, Scope, Send

from app.core.errors import Forbidden
from app.core.i18n import _
from app.core.settings import settings
from app.web.kernel import cookies, errors
from app.web.kernel.viewer import ORDERS_COOKIE, SESSION_COOKIE

SAFE = {"GET", "HEAD", "OPTIONS"}
# Read no cookie and set none: the same for all, or shown in others' pages; what posts proves itself by a signed token
# or by an API key and its secret.
NO_COOKIES = (
    "/static/",
    "/covers/",
    "/robots.txt",
    "/sitemap",
    "/favicon.ico",
    "/examples/",
    "/embed/",
    "/sdk/",
    "/checkout.js",
    "/checkout.mjs",
    "/api/v1/",
)
OWN_PROOF = ("/webhooks/", "/payments/ipn", "/kinguin/webhooks")  # signed by their senders, who hold no cookie


def config() -> CSRFConfig:
    return CSRFConfig(
        secret=settings().jwt_secret.get_secret_value(),
        cookie_name=cookies.full_name("bitloot_csrf"),
        header_name="x-csrf-token",
        cookie_secure=cookies.is_secure(),
        cookie_httponly=True,
        cookie_samesite="lax",
    )


class FormExpired(Forbidden):
    title = "This form has expired"

    def __init__(self) -> None:
        super().__init__(_("Reload the page and send it again."))


class CookiesNeeded(Forbidden):
    """No cookie at all came with a form, although each page with a form sets one."""

    title = "This needs cookies"

    def __init__(self) -> None:
        super().__init__(
            _(
                "Your browser didn’t send any cookies. Allow them for this site, reload the page and send it again. "
                "We use them only for your cart, your orders and signing in."
            )
        )


class Csrf(CSRFMiddleware):
    """A form always needs the token. JSON needs it only with our cookies: a foreign page can't send JSON unasked."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP and (_no_cookies(scope) or (scope["method"] not in SAFE and _exempt(scope))):
            await self.app(scope, receive, send)
            return
        request: Request[Any, Any, Any] = Request(scope)
        self._drop_unreadable(request)
        try:
            await super().__call__(scope, receive, send)
        except PermissionDeniedException:
            # Answered here, inside the frame: so it has the headers of every answer, and is counted as what it is.
            refused = FormExpired() if request.cookies else CookiesNeeded()
            await errors.handle(request, refused).to_asgi_response(None, request)(scope, receive, send)

    def _decode_csrf_token(self, token: object) -> str | None:
        """Also for what is no token at all: other letters, or a file in the form's field."""
        readable = isinstance(token, str) and token.isascii()
        return super()._decode_csrf_token(token) if readable else None  # type: ignore[arg-type]

    def _drop_unreadable(self, request: Request[Any, Any, Any]) -> None:
        """Pass over a cookie that we did not sign, or no longer do: its browser is given another one.

        Left in place it would be written into each page and refused with each form, for as long as the browser runs.
        """
        cookie = request.cookies.get(self.config.cookie_name)
        if request.method in SAFE and cookie is not None and self._decode_csrf_token(cookie) is None:
            del request.cookies[self.config.cookie_name]


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
