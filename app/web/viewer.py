"""Who is looking: read once a request from cookies or the Authorization header."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from litestar import Request, Response
from litestar.datastructures import Cookie

from app.accounts import tokens
from app.accounts.tokens import Session
from app.core.settings import settings
from app.keys.service import Visitor
from app.web.client_address import client_address

ORDERS_COOKIE, SESSION_COOKIE = "bitloot_orders", "bitloot_session"
# Actors as the audit log holds them, for good: whoever sent an order's token, and whoever may not see an order.
HOLDER, STRANGER = "holder of the order's token", "a stranger"
DESK_COOKIE = "bitloot_desk"  # which merchant, in which mode; it opens nothing


@dataclass(slots=True)
class Viewer:
    """A visitor and what it may see. ``session`` is unchecked for admins: ``guards.admin`` asks the table."""

    orders: list[UUID] = field(default_factory=list)
    session: Session | None = None
    bearer: bool = False

    @property
    def email(self) -> str | None:
        return self.session.email if self.session else None

    @property
    def is_admin(self) -> bool:
        return self.session is not None and self.session.role == "admin"


def viewer_of(request: Request[Any, Any, Any]) -> Viewer:
    """The request's viewer. A Bearer token counts alone: what a client names is not mixed with what a browser keeps."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Viewer(tokens.read_orders(token.strip()), tokens.read_session(token.strip()), bearer=True)
    return Viewer(
        tokens.read_orders(request.cookies[ORDERS_COOKIE]) if ORDERS_COOKIE in request.cookies else [],
        tokens.read_session(request.cookies[SESSION_COOKIE]) if SESSION_COOKIE in request.cookies else None,
    )


def visitor(request: Request[Any, Any, Any]) -> Visitor:
    """The viewer as the audit log names it."""
    viewer: Viewer = request.state.viewer
    actor = f"{viewer.session.role} {viewer.session.email}" if viewer.session else HOLDER
    return Visitor(actor, client_ip(request), request.headers.get("user-agent", ""))


def client_ip(request: Request[Any, Any, Any]) -> str:
    """The caller's address, in one spelling whatever the proxies wrote; "" where there is none."""
    ours = settings()
    peer = request.client.host if request.client else ""
    by_forwarded = ours.proxy_header == "forwarded"
    return client_address(request.scope["headers"], peer, hops=ours.proxy_hops, by_forwarded=by_forwarded)


def remember_orders(response: Response[Any], ids: list[UUID]) -> None:
    keep_orders(response, tokens.orders_token(ids))


def keep_orders(response: Response[Any], token: str) -> None:
    _keep(response, ORDERS_COOKIE, token, int(tokens.ORDERS_LIFETIME.total_seconds()))


def remember_session(response: Response[Any], session: Session) -> None:
    lifetime = tokens.STAFF_LIFETIME if session.role == "admin" else tokens.SESSION_LIFETIME
    _keep(response, SESSION_COOKIE, tokens.session_token(session), int(lifetime.total_seconds()))


def remember_desk(response: Response[Any], desk: str) -> None:
    _keep(response, DESK_COOKIE, desk, int(tokens.ORDERS_LIFETIME.total_seconds()))


def forget(response: Response[Any], *names: str) -> None:
    for name in names:
        _keep(response, name, "", 0)


def _keep(response: Response[Any], name: str, value: str, seconds: int) -> None:
    secure = settings().frontend_url.startswith("https://")
    response.set_cookie(
        Cookie(key=name, value=value, max_age=seconds, path="/", httponly=True, secure=secure, samesite="lax")
    )
