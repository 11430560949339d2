"""Giving up an order for which no money was reported."""

from typing import Any

from litestar import Request, Response, post

from app.orders import queries as order_rows
from app.orders import service as orders
from app.web.kernel import guards
from app.web.kernel.render import answer, by_htmx, page, see_other, wants_json
from app.web.store import order_view

Req = Request[Any, Any, Any]


@post("/orders/{order_id:str}/cancellations", summary="Cancel an order", tags=["shop"], status_code=200)
async def create(request: Req) -> Response[bytes]:
    """Give an order up, as long as no money was reported for it."""
    order = guards.order_of(request)
    await orders.cancel(order.id)
    if not wants_json(request) and not by_htmx(request):
        return see_other(f"/orders/{order.id}")
    fresh = await order_rows.one(order.id)
    assert fresh is not None
    if wants_json(request):
        return answer(await order_view.state_of(fresh))
    return page(request, "store/orders/_status.html", {"order": await order_view.build(fresh)})
