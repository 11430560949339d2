"""What a route asks before it answers. What someone may not see answers the same as what does not exist.

The guards are declared on routers or handlers (``guards=[…]``), and are called by none of them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import HTTPScope

from app.audit import samples
from app.audit import service as audit
from app.core import db, rate_limit
from app.core.client_address import limit_key
from app.core.errors import NotFound, Problem
from app.core.i18n import _
from app.core.ids import parse_id
from app.orders import queries as orders
from app.orders.models import Order, OrderWithItems
from app.web.kernel.viewer import STRANGER, Viewer, client_ip, held_orders, visitor

Req = Request[Any, Any, Any]
Connection = ASGIConnection[Any, Any, Any, Any]


class OrderNotFound(NotFound):
    title = "We can't show that order"

    def __init__(self) -> None:
        super().__init__(
            _(
                "It does not exist, or this browser is not the one it was bought with. "
                "Use the link in your email, or ask for a new one."
            )
        )


class LoginNeeded(Problem):
    """An admin's page without an admin: pages go to the login, JSON gets 401."""

    status = 401
    title = "Staff only"


class RedirectTo(Exception):
    """A guard's answer where it is a redirect: guards return nothing."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


async def own_order(request: Req, order_id: str) -> OrderWithItems:
    """A shop order, if the viewer holds its token, is logged in with its email, or is an admin. Else OrderNotFound."""
    found = parse_id(order_id)
    order = await orders.one(found) if found else None
    viewer: Viewer = request.state.viewer
    if order is None or order.merchant_id or not await _may_see(viewer, order.id, order.email):
        if found is not None:
            await _denied(request, found)
        raise OrderNotFound
    return order


async def by_staff(request: Req, order: Order) -> bool:
    """Whether the viewer sees the order as a member of staff, not as the one who bought it."""
    viewer: Viewer = request.state.viewer
    return viewer.is_admin and order.id not in await held_orders(viewer)


async def acting_for(request: Req, order_id: str) -> OrderWithItems:
    """As ``own_order``, for what changes it: what staff does on a customer's page is written down as staff's."""
    order = await own_order(request, order_id)
    if await by_staff(request, order):
        asked = f"{request.method} {request.scope.get('path_template', '')}"
        await write(request, "order.changed_by_staff", order_id=order.id, details=asked)
    return order


async def may_see_order(connection: Connection, _handler: BaseRouteHandler) -> None:
    """A guard of routes whose path names an ``order_id``: see ``own_order``."""
    if not asks_methods(connection):
        request = cast(Req, connection)
        request.state.order = await own_order(request, request.path_params["order_id"])


async def may_change_order(connection: Connection, _handler: BaseRouteHandler) -> None:
    """A guard of routes whose path names an ``order_id``: see ``acting_for``."""
    if not asks_methods(connection):
        request = cast(Req, connection)
        request.state.order = await acting_for(request, request.path_params["order_id"])


def order_of(request: Req) -> OrderWithItems:
    """The order that the path names, as it stood when the guard found it."""
    found: OrderWithItems = request.state.order
    return found


async def _may_see(viewer: Viewer, order_id: UUID, email: str) -> bool:
    if viewer.session is not None and (viewer.is_admin or viewer.email == email):
        return True
    return order_id in viewer.held and order_id in await held_orders(viewer)


async def _denied(request: Req, order_id: UUID) -> None:
    """Write down that someone asked for what is not theirs; for an unknown id too: both answers take as long."""
    actor = None if request.state.viewer.session else STRANGER  # who may hold tokens, but not this order's
    asked = f"{request.method} {request.scope.get('path_template', '')}"
    await write_sample(request, "order.denied", order_id=order_id, details=asked, actor=actor)


async def write_sample(
    request: Req, action: str, *, order_id: UUID | None = None, details: str = "", actor: str | None = None
) -> None:
    """A line about a refusal, as long as they are few; of many, counted samples."""
    said = await samples.counted(action, limit_key(client_ip(request)))
    if said is not None:
        await write(request, action, order_id=order_id, details=details + said, actor=actor)


async def write(
    request: Req, action: str, *, order_id: UUID | None = None, details: str = "", actor: str | None = None
) -> None:
    """A line of the audit log, in the viewer's name unless another ``actor`` is given, in the open transaction."""
    who = visitor(request)
    await audit.write(
        action, actor=actor or who.actor, ip=who.ip, user_agent=who.user_agent, order_id=order_id, details=details
    )


@asynccontextmanager
async def recorded(
    request: Req, action: str, *, order_id: UUID | None = None, details: str = "", actor: str | None = None
) -> AsyncIterator[None]:
    """What an admin or member does inside commits together with its line of the audit log, or not at all."""
    async with db.transaction():
        yield
        await write(request, action, order_id=order_id, details=details, actor=actor)


def asks_methods(connection: Connection) -> bool:
    """Whether a request is OPTIONS. Litestar's own answer runs the guards of its path, and tells of no one's things."""
    return cast(HTTPScope, connection.scope)["method"] == "OPTIONS"  # there are no other scopes


async def admin_only(connection: Connection, _handler: BaseRouteHandler) -> None:
    """A guard. Raises LoginNeeded for anyone but an admin."""
    if not asks_methods(connection) and not connection.state.viewer.is_admin:
        raise LoginNeeded("Sign in as an admin to see this page.")


async def any_order(order_id: str) -> OrderWithItems:
    """Whatever order has this id, for staff. Raises OrderNotFound."""
    found = parse_id(order_id)
    order = await orders.one(found) if found else None
    if order is None:
        raise OrderNotFound
    return order


async def spend(request: Req, bucket: str, per_minute: int, who: str | None = None) -> None:
    """Count one use of a limited door, by address unless ``who`` is given. Raises TooManyAttempts."""
    await rate_limit.acquire(bucket, who or limit_key(client_ip(request)), per_minute)
