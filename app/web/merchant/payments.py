"""A merchant's payments: the list, and one with what became of it."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get
from litestar.params import FromPath

from app.accounts import addresses
from app.contract.payment import STATUSES, Payment
from app.core.errors import Problem
from app.core.i18n import _
from app.core.money import Money
from app.core.structs import extend
from app.orders.service import short
from app.payments import queries
from app.payments.create_for_merchants import METHODS
from app.payments.models import MerchantPayment
from app.refunds import create_for_merchants
from app.refunds import queries as refunds
from app.web.merchant import context as contexts
from app.web.merchant import filters
from app.web.merchant.context import PAGE, MerchantContext, NothingHere
from app.web.merchant.refunds import shown as refund_shown
from app.webhooks import queries as webhooks

Req = Request[Any, Any, Any]
MOST_SHOWN = 100  # refunds and deliveries of one payment


class ShownPayment(Payment, frozen=True, kw_only=True):
    """A payment as the API tells it, and what a person reads of it. ``how``: by what it is paid."""

    short: str
    money: Money
    taken: Money
    order_short: str
    reference: str | None
    email: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    how: str
    deliveries: str


@get("/merchant/payments", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    """``?status=&method=&q=``: ``q`` is a payment's id, the order's reference, or a customer's email."""
    ctx = contexts.current(request)
    asked = {
        "status": filters.one_of(request, "status", STATUSES),
        "method": filters.one_of(request, "method", METHODS),
    }
    typed = filters.given(request, "q")
    chosen = asked | filters.searched(typed, "payment_id")
    rows = await queries.merchant_page(ctx.id, ctx.test, chosen, filters.before(request), PAGE + 1)
    context = filters.page("/merchant/payments", [shown(row) for row in rows], asked | {"q": typed})
    context |= asked | {"q": typed, "statuses": STATUSES, "methods": METHODS}
    return contexts.page(request, ctx, "merchant/payments/index.html", context, partial="merchant/payments/_rows.html")


@get("/merchant/payments/{payment_id:str}", include_in_schema=False)
async def show(request: Req, payment_id: FromPath[str]) -> Response[bytes]:
    ctx = contexts.current(request)
    return await answer_with(request, ctx, await find(ctx, payment_id))


async def find(ctx: MerchantContext, payment_id: str) -> MerchantPayment:
    row = await queries.of_merchant(ctx.id, ctx.test, contexts.require_id(payment_id))
    if row is None:
        raise NothingHere
    return row


async def answer_with(
    request: Req,
    ctx: MerchantContext,
    row: MerchantPayment,
    *,
    typed: dict[str, str] | None = None,
    error: Problem | None = None,
) -> Response[bytes]:
    mine = {"payment_id": row.id}
    left = await create_for_merchants.left(row.order_id, row.id)
    context = {
        "payment": shown(row),
        "refunds": [refund_shown(r) for r in await refunds.merchant_page(ctx.id, ctx.test, mine, None, MOST_SHOWN)],
        "deliveries": await webhooks.deliveries(ctx.id, ctx.test, {"object_id": row.id}, None, MOST_SHOWN),
        "left": left,
        "values": typed or {"amount": left.digits, "reason": ""},
        "errors": {error.field or "amount": error.detail} if error else {},
    }
    return contexts.page(request, ctx, "merchant/payments/show.html", context, status=error.status if error else 200)


def shown(row: MerchantPayment) -> ShownPayment:
    """A payment as the API tells it, and what a person reads of it."""
    payment = Payment.from_row(row, test=row.test)
    query = urlencode({"object_id": str(row.id)})
    return extend(
        ShownPayment, payment, short=short(row.id), money=Money(row.price_amount, row.price_currency),
        taken=Money(row.value, row.price_currency), order_short=short(row.order_id),
        reference=row.reference, email=addresses.shown(row), created_at=row.created_at,
        updated_at=row.updated_at, expires_at=row.expires_at, how=_how(payment),
        deliveries=f"/merchant/deliveries?{query}",
    )  # fmt: skip


def _how(payment: Payment) -> str:
    """By what it is paid, in a few words."""
    details = payment.details
    if payment.method == "card":
        return f"{details.get('network', 'Card')} ···· {details.get('last4', '')}".capitalize()
    if payment.method == "upi":
        return f"UPI {details.get('vpa', '')}"
    currency = (payment.crypto and payment.crypto.currency) or ""
    return _("Crypto %(currency)s", currency=currency.upper()).strip()
