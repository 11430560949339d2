"""Taking the money back for a key that does not come."""

from typing import Any

from litestar import Request, Response, post

from app.fulfillment import withdrawal
from app.web.kernel import guards
from app.web.kernel.rate_limits import bucket
from app.web.kernel.render import answer, by_htmx, see_other, sent_json, wants_json

Req = Request[Any, Any, Any]


@post(
    "/orders/{order_id:str}/withdrawals",
    summary="Take the money back",
    tags=["shop"],
    status_code=202,
    opt=bucket("payments"),
)
async def create(request: Req) -> Response[bytes]:
    """Get a refund for keys that did not come in time. 202 `{orderId, amount}`; 409 while they may still."""
    order = guards.order_of(request)
    amount = await withdrawal.withdraw(order.id)
    if not sent_json(request) and not by_htmx(request) and not wants_json(request):
        return see_other(f"/orders/{order.id}")
    return answer({"orderId": order.id, "amount": amount}, status=202)
