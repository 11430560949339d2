"""Who is looking: read once a request from cookies or the Authorization header."""

import hashlib
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from litestar import Request, Response
from litestar.connection import ASGIConnection

from app.accounts import sessions, tokens
from app.accounts.tokens import Session
from app.core.client_address import client_address
from app.core.ids import new_id
from app.core.settings import settings
from app.keys.reveal import Visitor
from app.orders import queries as orders
from app.web.kernel import cookies

ORDERS_COOKIE, SESSION_COOKIE = "bitloot_orders", "bitloot_session"
# Actors as the audit log holds them, for good: whoever sent an order's token, and whoever may not see an order.
HOLDER, STRANGER = "holder of the order's token", "a stranger"
CONTEXT_COOKIE = "bitloot_context"  # which merchant, in which mode; it opens nothing


@dataclass(slots=True)
class Viewer:
    """A visitor and what it may see. ``held`` are the orders that its token names: ``held_orders`` asks the table.

    Each has the access epoch that the token was made in.
    """

    held: dict[UUID, int] = field(default_factory=dict)
    session: Session | None = None
    bearer: bool = False
    browser: UUID | None = None

    @property
    def email(self) -> str | None:
        return self.session.email if self.session else None

    @property
    def is_admin(self) -> bool:
        return self.session is not None and self.session.role == "admin"


async def viewer_of(request: Request[Any, Any, Any]) -> Viewer:
    """The request's viewer. A Bearer token counts alone: what a client names is not mixed with what a browser keeps."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        held, browser = tokens.read_browser(token.strip())
        return Viewer(held, await _session(request, token.strip()), bearer=True, browser=browser)
    held, browser = tokens.read_browser(cookies.read(request, ORDERS_COOKIE))
    return Viewer(held, await _session(request, cookies.read(request, SESSION_COOKIE)), browser=browser)


async def _session(request: Request[Any, Any, Any], token: str) -> Session | None:
    session_id = tokens.read_session(token) if token else None
    return await sessions.find(session_id, ip=client_ip(request)) if session_id else None


async def held_orders(viewer: Viewer) -> list[UUID]:
    """The orders that the viewer's token opens: none once its browser has signed out, and none whose email changed."""
    if viewer.held and viewer.browser is not None and await sessions.browser_ended(viewer.browser):
        viewer.held, viewer.browser = {}, None
    if viewer.held:
        viewer.held = await orders.open_to(viewer.held, viewer.browser)
    return list(viewer.held)


async def standing(viewer: Viewer) -> str:
    """A digest of what the viewer may see by now: the same for the same session and orders, while they stand."""
    session = str(viewer.session.id) if viewer.session else ""
    held = sorted(str(order_id) for order_id in await held_orders(viewer))
    parts = (session, str(viewer.browser or ""), str(viewer.bearer), *held)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def visitor(request: Request[Any, Any, Any]) -> Visitor:
    """The viewer as the audit log names it."""
    viewer: Viewer = request.state.viewer
    actor = f"{viewer.session.role} {viewer.session.email}" if viewer.session else HOLDER
    return Visitor(actor, client_ip(request), request.headers.get("user-agent", ""))


def client_ip(request: ASGIConnection[Any, Any, Any, Any]) -> str:
    """The caller's address, in one spelling whatever the proxies wrote; "" where there is none."""
    ours = settings()
    peer = request.client.host if request.client else ""
    by_forwarded = ours.proxy_header == "forwarded"
    return client_address(request.scope["headers"], peer, hops=ours.proxy_hops, by_forwarded=by_forwarded)


async def remember_order(
    request: Request[Any, Any, Any], response: Response[Any], order_id: UUID, *, browser: UUID | None = None
) -> None:
    """Let this browser open one more order. What a Bearer token opens stays with that token: it is no browser's.

    ``browser``: what the browser is called from now on, if it has no name yet.
    """
    viewer: Viewer = request.state.viewer
    held = [] if viewer.bearer else await held_orders(viewer)
    known = None if viewer.bearer else viewer.browser
    epochs = viewer.held | {order_id: await orders.access_epoch(order_id)}
    token = tokens.orders_token([*held, order_id], known or browser or new_id(), epochs=epochs)
    cookies.keep(response, ORDERS_COOKIE, token, int(tokens.ORDERS_LIFETIME.total_seconds()))


async def sign_in(request: Request[Any, Any, Any], response: Response[Any], email: str) -> None:
    """Begin a customer's session in this browser."""
    agent = request.headers.get("user-agent", "")
    keep_session(response, await sessions.begin(email, "customer", user_agent=agent, ip=client_ip(request)))


def keep_session(response: Response[Any], session: Session) -> None:
    lifetime = int(tokens.lifetime(session.role).total_seconds())
    cookies.keep(response, SESSION_COOKIE, tokens.session_token(session), lifetime)


def remember_context(response: Response[Any], ctx: str) -> None:
    cookies.keep(response, CONTEXT_COOKIE, ctx, int(tokens.ORDERS_LIFETIME.total_seconds()))


def forget(response: Response[Any], *names: str) -> None:
    for name in names:
        cookies.keep(response, name, "", 0)
