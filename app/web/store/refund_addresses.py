"""Naming a refund's address on the order's page, for whoever holds that page: no mailbox is needed."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.accounts.service import LinkSpent
from app.core import db
from app.core.ids import parse_id
from app.orders.models import Order
from app.refunds import claim, queries
from app.refunds.models import Refund
from app.web.kernel import guards
from app.web.kernel.rate_limits import bucket
from app.web.kernel.render import see_other, wants_json
from app.web.store.refunds import read_target, show_form

Req = Request[Any, Any, Any]
PATH = "/orders/{order_id:str}/refunds/{refund_id:str}/address"


@get(PATH, include_in_schema=False)
async def new(request: Req, refund_id: FromPath[str]) -> Response[bytes]:
    order = guards.order_of(request)
    refund = await _refund(order, refund_id)
    if refund.claimed_at is not None or refund.status != "pending":
        return see_other(f"/orders/{order.id}")
    return await show_form(request, _action(refund), refund, {"coin": refund.coin or "", "address": "", "memo": ""})


@post(PATH, summary="Name a refund's address", tags=["shop"], status_code=200, opt=bucket("lookups"))
async def create(request: Req, refund_id: FromPath[str]) -> Response[bytes]:
    """Take `coin`, `address` and `memo`: shown once more first, kept with `confirmed=yes`."""
    order = guards.order_of(request)
    refund = await _refund(order, refund_id)
    target = await read_target(request, _action(refund), refund)
    if isinstance(target, Response):
        return target
    try:
        async with db.transaction():
            await claim.claim_on_page(refund.id, target)
            details = f"refund {refund.id}, {target.coin}"
            await guards.write(request, "refund.address_named", order_id=order.id, details=details)
    except LinkSpent:
        if wants_json(request):
            raise
    return see_other(f"/orders/{order.id}")


async def _refund(order: Order, refund_id: str) -> Refund:
    """A refund of this order. Raises OrderNotFound."""
    wanted = parse_id(refund_id)
    for refund in await queries.of_order(order.id):
        if refund.id == wanted:
            return refund
    raise guards.OrderNotFound


def _action(refund: Refund) -> str:
    return f"/orders/{refund.order_id}/refunds/{refund.id}/address"
