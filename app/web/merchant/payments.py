"""A merchant's payments: the list, one with what became of it, and giving its money back.

A refund is named in full, amount and all, before the button that asks for it.
"""

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.params import FromPath
from msgspec.structs import asdict

from app.accounts import addresses
from app.contract.payment import STATUSES, Payment
from app.core.errors import Problem
from app.core.i18n import _
from app.core.money import Money, UnclearAmount, typed_amount
from app.orders.service import short
from app.payments import queries
from app.payments.create_for_merchants import METHODS
from app.payments.models import MerchantPayment
from app.refunds import create_for_merchants
from app.refunds import queries as refunds
from app.refunds.create_for_merchants import BadAmount, BadReason, PaymentNotCaptured
from app.refunds.service import REASON, TooMuch
from app.web.kernel.render import see_other
from app.web.merchant import context as desks
from app.web.merchant import filters
from app.web.merchant.context import PAGE, MerchantContext, NothingHere
from app.web.merchant.refunds import shown as refund_shown
from app.webhooks import queries as webhooks

Req = Request[Any, Any, Any]
MOST_SHOWN = 100  # refunds and deliveries of one payment
REFUSED = (BadAmount, BadReason, TooMuch, PaymentNotCaptured)


@get("/merchant/payments", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    """``?status=&method=&q=``: ``q`` is a payment's id, the order's reference, or a customer's email."""
    desk = desks.current(request)
    asked = {
        "status": filters.one_of(request, "status", STATUSES),
        "method": filters.one_of(request, "method", METHODS),
    }
    typed = filters.given(request, "q")
    chosen = asked | filters.searched(typed, "payment_id")
    rows = await queries.merchant_page(desk.id, desk.test, chosen, filters.before(request), PAGE + 1)
    context = filters.page("/merchant/payments", [shown(row) for row in rows], asked | {"q": typed})
    context |= asked | {"q": typed, "statuses": STATUSES, "methods": METHODS}
    return desks.page(request, desk, "merchant/payments/index.html", context, partial="merchant/payments/_rows.html")


@get("/merchant/payments/{payment_id:str}", include_in_schema=False)
async def show(request: Req, payment_id: FromPath[str]) -> Response[bytes]:
    desk = desks.current(request)
    return await _one(request, desk, await _find(desk, payment_id))


async def _find(desk: MerchantContext, payment_id: str) -> MerchantPayment:
    row = await queries.of_merchant(desk.id, desk.test, desks.require_id(payment_id))
    if row is None:
        raise NothingHere
    return row


async def _one(
    request: Req,
    desk: MerchantContext,
    row: MerchantPayment,
    *,
    typed: dict[str, str] | None = None,
    error: Problem | None = None,
) -> Response[bytes]:
    mine = {"payment_id": row.id}
    left = await create_for_merchants.left(row.order_id, row.id)
    context = {
        "payment": shown(row),
        "refunds": [refund_shown(r) for r in await refunds.merchant_page(desk.id, desk.test, mine, None, MOST_SHOWN)],
        "deliveries": await webhooks.deliveries(desk.id, desk.test, {"object_id": row.id}, None, MOST_SHOWN),
        "left": left,
        "values": typed or {"amount": left.digits, "reason": ""},
        "errors": {error.field or "amount": error.detail} if error else {},
    }
    return desks.page(request, desk, "merchant/payments/show.html", context, status=error.status if error else 200)


@get("/merchant/payments/{payment_id:str}/refund", include_in_schema=False)
async def preview(request: Req, payment_id: FromPath[str]) -> Response[bytes]:
    """What a refund of ``?amount=&reason=`` would do, and the button that asks for it."""
    desk = desks.current(request)
    row = await _find(desk, payment_id)
    typed = {"amount": filters.given(request, "amount"), "reason": str(request.query_params.get("reason", "")).strip()}
    try:
        amount = await _within(row, typed)
    except REFUSED as error:
        return await _one(request, desk, row, typed=typed, error=error)
    context = {"payment": shown(row), "amount": amount, "reason": typed["reason"]}
    return desks.page(request, desk, "merchant/payments/refund.html", context)


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
async def refund(request: Req, payment_id: FromPath[str]) -> Response[bytes]:
    """Ask for the refund that was previewed."""
    desk, form = desks.current(request), await request.form()
    row = await _find(desk, payment_id)
    typed = {"amount": desks.text(form, "amount"), "reason": desks.text(form, "reason", REASON + 1)}
    try:
        amount = await _within(row, typed)
        said = f"{amount} of payment {row.id}"
        async with desks.recorded(request, desk, "refund.asked", said):
            made = await create_for_merchants.create(
                desk.id, desk.test, row.id, amount.amount, typed["reason"], None, desk.actor
            )
    except REFUSED as error:
        return await _one(request, desk, row, typed=typed, error=error)
    return see_other(f"/merchant/refunds/{made.id}")


def shown(row: MerchantPayment) -> dict[str, Any]:
    """A payment as the API tells it, and what a person reads of it."""
    told = Payment.from_row(row, test=row.test)
    query = urlencode({"object_id": str(row.id)})
    return asdict(told) | {
        "id": row.id, "short": short(row.id), "money": Money(row.price_amount, row.price_currency),
        "taken": Money(row.value, row.price_currency), "order_short": short(row.order_id),
        "reference": row.reference, "email": addresses.shown(row), "created_at": row.created_at,
        "updated_at": row.updated_at, "expires_at": row.expires_at, "how": _how(told),
        "deliveries": f"/merchant/deliveries?{query}",
    }  # fmt: skip


def _how(told: Payment) -> str:
    """By what it is paid, in a few words."""
    details = told.details
    if told.method == "card":
        return f"{details.get('network', 'Card')} ···· {details.get('last4', '')}".capitalize()
    if told.method == "upi":
        return f"UPI {details.get('vpa', '')}"
    currency = (told.crypto and told.crypto.currency) or ""
    return _("Crypto %(currency)s", currency=currency.upper()).strip()
