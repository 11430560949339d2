"""A reservation at a supplier, as JSON for staff."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from app.core.ids import parse_id
from app.fulfillment import queries as supply
from app.orders import queries as orders
from app.web.kernel import guards
from app.web.kernel.render import answer

Req = Request[Any, Any, Any]


@get("/kinguin/status/{reservation_id:str}", summary="A reservation, for staff", tags=["fulfillment"])
async def show(reservation_id: FromPath[str]) -> Response[bytes]:
    found = parse_id(reservation_id)
    row = await supply.one(found) if found else None
    if row is None:
        raise guards.OrderNotFound
    order = await orders.one(row.order_id)
    return answer(
        {
            "reservationId": row.id,
            "orderId": row.order_id,
            "itemId": row.item_id,
            "status": row.status,
            "supplierOrderId": row.supplier_order_id,
            "quantity": row.quantity,
            "priceLimit": row.price_limit,
            "charged": row.charged,
            "cause": row.cause,
            "orderStatus": order.status if order else None,
        }
    )
