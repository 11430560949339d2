"""Asking the supplier again for an item that it did not have."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath

from app.core.ids import parse_id
from app.fulfillment import steps
from app.web.kernel import guards
from app.web.kernel.render import see_other

Req = Request[Any, Any, Any]


@post("/admin/orders/{order_id:str}/items/{item_id:str}/retries", include_in_schema=False, status_code=200)
async def create(request: Req, order_id: FromPath[str], item_id: FromPath[str]) -> Response[bytes]:
    """Ask the supplier again for an item it did not have."""
    order = await guards.any_order(order_id)
    found = parse_id(item_id)
    if found is None or found not in {item.id for item in order.items}:
        raise guards.OrderNotFound
    async with guards.recorded(request, "item.retried", order_id=order.id, details=f"item {found}"):
        await steps.retry_item(found)
    return see_other(f"/admin/orders/{order.id}")
