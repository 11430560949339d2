"""What each door asks before it opens. What someone may not see answers the same as what does not exist."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from litestar import Request

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


async def admin(request: Req) -> None:
    """Raises LoginNeeded for anyone but an admin."""
    if not request.state.viewer.is_admin:
        raise LoginNeeded("Sign in as an admin to see this page.")


async def any_order(request: Req, order_id: str) -> OrderWithItems:
    """Whatever order has this id, for an admin alone. Raises LoginNeeded and OrderNotFound."""
    await admin(request)
    found = parse_id(order_id)
    order = await orders.one(found) if found else None
    if order is None:
        raise OrderNotFound
    return order


async def spend(request: Req, bucket: str, per_minute: int, who: str | None = None) -> None:
    """Count one use of a limited door, by address unless ``who`` is given. Raises TooManyAttempts."""
    await rate_limit.acquire(bucket, who or limit_key(client_ip(request)), per_minute)
