"""A merchant's orders: the list, and one with its payments, refunds and what its endpoints were told."""

from datetime import datetime
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from app.contract.order import STATUSES, Order
from app.core.money import Money
from app.core.structs import extend
from app.orders import models, queries
from app.orders.service import short
from app.payments import queries as payments
from app.refunds import queries as refunds
from app.web.merchant import context as contexts
from app.web.merchant import filters
from app.web.merchant.context import PAGE, NothingHere
from app.web.merchant.payments import shown as payment_shown
from app.web.merchant.refunds import shown as refund_shown
from app.webhooks import queries as webhooks

Req = Request[Any, Any, Any]
MOST_SHOWN = 100  # payments, refunds and deliveries of one order


class ShownOrder(Order, frozen=True, kw_only=True):
    """An order as the API tells it, and what a person reads of it."""

    short: str
    money: Money
    created_at: datetime
    paid_at: datetime | None


@get("/merchant/orders", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    """``?status=&q=``: ``q`` is an order's id, the merchant's reference, or a customer's email."""
    ctx = contexts.current(request)
    status, typed = filters.one_of(request, "status", STATUSES), filters.given(request, "q")
    chosen = {"status": status} | filters.searched(typed, "order_id")
    rows = await queries.merchant_page(ctx.id, ctx.test, chosen, filters.before(request), PAGE + 1)
    context = filters.page("/merchant/orders", [shown(row) for row in rows], {"status": status, "q": typed})
    context |= {"status": status, "q": typed, "statuses": STATUSES}
    return contexts.page(request, ctx, "merchant/orders/index.html", context, partial="merchant/orders/_rows.html")


@get("/merchant/orders/{order_id:str}", include_in_schema=False)
async def show(request: Req, order_id: FromPath[str]) -> Response[bytes]:
    ctx = contexts.current(request)
    row = await queries.of_merchant(ctx.id, ctx.test, contexts.require_id(order_id))
    if row is None:
        raise NothingHere
    mine = {"order_id": row.id}
    context = {
        "order": shown(row),
        "payments": [payment_shown(p) for p in await payments.merchant_page(ctx.id, ctx.test, mine, None, MOST_SHOWN)],
        "refunds": [refund_shown(r) for r in await refunds.merchant_page(ctx.id, ctx.test, mine, None, MOST_SHOWN)],
        "deliveries": await webhooks.deliveries(ctx.id, ctx.test, mine, None, MOST_SHOWN),
    }
    return contexts.page(request, ctx, "merchant/orders/show.html", context)


def shown(row: models.Order) -> ShownOrder:
    return extend(
        ShownOrder, Order.from_row(row), short=short(row.id), money=Money(row.total, row.currency),
        created_at=row.created_at, paid_at=row.paid_at,
    )  # fmt: skip
