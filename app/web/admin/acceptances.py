"""An admin accepts a payment whose credit to us looked too low: it counts, and its order goes on."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath

from app.core.ids import parse_id
from app.payments import accept_by_hand, queries
from app.web.kernel import guards
from app.web.kernel.render import answer, see_other, wants_json
from app.web.kernel.viewer import visitor

Req = Request[Any, Any, Any]


@post("/admin/payments/{payment_id:str}/acceptances", include_in_schema=False, status_code=200)
async def create(request: Req, payment_id: FromPath[str]) -> Response[bytes]:
    await guards.admin(request)
    found = parse_id(payment_id)
    payment = await queries.one(found) if found else None
    if payment is None:
        raise accept_by_hand.NotAcceptable("Check the payment's id.")
    details = f"{payment.id} {payment.outcome}"
    async with guards.recorded(request, "payment.accepted", order_id=payment.order_id, details=details):
        await accept_by_hand.accept(payment.id, visitor(request).actor)
    where = f"/admin/orders/{payment.order_id}"
    return answer({"location": where}) if wants_json(request) else see_other(where)
