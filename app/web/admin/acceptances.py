"""What an admin says of a payment whose credit to us looked too low: it counts as it arrived, or as it was credited."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath

from app.core.ids import parse_id
from app.core.money import UnclearAmount, typed_amount
from app.payments import accept_by_hand, queries
from app.payments.models import Payment
from app.web.kernel import guards
from app.web.kernel.body import read_form
from app.web.kernel.render import answer, see_other, wants_json
from app.web.kernel.viewer import visitor

Req = Request[Any, Any, Any]


@post("/admin/payments/{payment_id:str}/acceptances", include_in_schema=False, status_code=200)
async def create(request: Req, payment_id: FromPath[str]) -> Response[bytes]:
    """Count all that arrived."""
    payment = await _find(payment_id)
    details = f"{payment.id} {payment.outcome}"
    async with guards.recorded(request, "payment.accepted", order_id=payment.order_id, details=details):
        await accept_by_hand.accept(payment.id, visitor(request).actor)
    return _back(request, payment)


@post("/admin/payments/{payment_id:str}/part-acceptances", include_in_schema=False, status_code=200)
async def create_part(request: Req, payment_id: FromPath[str]) -> Response[bytes]:
    """Refuse it as it arrived, and count only what was credited."""
    payment, form = await _find(payment_id), await read_form(request)
    try:
        credited = typed_amount(form["amount"], payment.price_currency) if form.get("amount") else None
    except UnclearAmount as unclear:
        raise accept_by_hand.BadCredit(str(unclear), field="amount") from None
    details = f"{payment.id} {payment.outcome}: {credited or 'as before'}"
    async with guards.recorded(request, "payment.counted_in_part", order_id=payment.order_id, details=details):
        await accept_by_hand.count_credited(payment.id, credited, visitor(request).actor)
    return _back(request, payment)


async def _find(payment_id: str) -> Payment:
    found = parse_id(payment_id)
    payment = await queries.one(found) if found else None
    if payment is None:
        raise accept_by_hand.NotAcceptable("Check the payment's id.")
    return payment


def _back(request: Req, payment: Payment) -> Response[bytes]:
    where = f"/admin/orders/{payment.order_id}"
    return answer({"location": where}) if wants_json(request) else see_other(where)
