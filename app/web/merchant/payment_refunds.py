"""Giving a payment's money back: named in full, amount and all, before the button that asks for it."""

from decimal import Decimal
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.core.i18n import _
from app.core.money import Money, UnclearAmount, typed_amount
from app.payments.models import MerchantPayment
from app.refunds import create_for_merchants
from app.refunds.create_for_merchants import BadAmount, BadReason, PaymentNotCaptured
from app.refunds.service import REASON, TooMuch
from app.web.kernel.render import see_other
from app.web.merchant import context as contexts
from app.web.merchant import filters, payments

Req = Request[Any, Any, Any]
REFUSED = (BadAmount, BadReason, TooMuch, PaymentNotCaptured)


@get("/merchant/payments/{payment_id:str}/refund", include_in_schema=False)
async def new(request: Req, payment_id: FromPath[str]) -> Response[bytes]:
    """What a refund of ``?amount=&reason=`` would do, and the button that asks for it."""
    ctx = contexts.current(request)
    row = await payments.find(ctx, payment_id)
    typed = {"amount": filters.given(request, "amount"), "reason": str(request.query_params.get("reason", "")).strip()}
    try:
        amount = await _within(row, typed)
    except REFUSED as error:
        return await payments.answer_with(request, ctx, row, typed=typed, error=error)
    context = {"payment": payments.shown(row), "amount": amount, "reason": typed["reason"]}
    return contexts.page(request, ctx, "merchant/payments/refund.html", context)


async def _within(row: MerchantPayment, typed: dict[str, str]) -> Money:
    """The amount that was typed, if it can go back. Raises one of REFUSED."""
    if not typed["reason"] or len(typed["reason"]) > REASON:
        raise BadReason(
            _("Enter a reason of 1 to %(reason)s characters. Your customer may read it.", reason=REASON), field="reason"
        )
    amount = _digits(typed["amount"], row.price_currency)
    return await create_for_merchants.within(amount, row.order_id, row.id)


def _digits(text: str, currency: str) -> Decimal:
    try:
        number = typed_amount(text, currency).amount
    except UnclearAmount as unclear:
        raise BadAmount(str(unclear), field="amount") from None
    if not 0 < number < create_for_merchants.MOST:
        raise BadAmount("Write an amount above zero, as digits.", field="amount")
    return number


@post("/merchant/payments/{payment_id:str}/refunds", include_in_schema=False, status_code=200)
async def create(request: Req, payment_id: FromPath[str]) -> Response[bytes]:
    """Ask for the refund that was previewed."""
    ctx, form = contexts.current(request), await request.form()
    row = await payments.find(ctx, payment_id)
    typed = {"amount": contexts.text(form, "amount"), "reason": contexts.text(form, "reason", REASON + 1)}
    try:
        amount = await _within(row, typed)
        said = f"{amount} of payment {row.id}"
        async with contexts.recorded(request, ctx, "refund.asked", said):
            made = await create_for_merchants.create(
                ctx.id, ctx.test, row.id, amount.amount, typed["reason"], None, ctx.actor
            )
    except REFUSED as error:
        return await payments.answer_with(request, ctx, row, typed=typed, error=error)
    return see_other(f"/merchant/refunds/{made.id}")
