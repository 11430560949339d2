"""Trying the checkout without a site: an order of test mode, and the SDK on our own page."""

from typing import Any

from litestar import Request, Response, get, post

from app.accounts.addresses import BadEmail
from app.core.errors import Problem
from app.core.money import Money, UnclearAmount, typed_amount
from app.merchants import api_keys
from app.orders import merchant_orders, queries
from app.orders.merchant_orders import CURRENCIES, BadCharge
from app.web.embed import sdk
from app.web.kernel.render import see_other
from app.web.merchant import context as contexts
from app.web.merchant import filters
from app.web.merchant.context import MerchantContext
from app.web.merchant.orders import shown

Req = Request[Any, Any, Any]
DEFAULTS = {"amount": "20.00", "currency": "USD", "email": ""}
REFERENCE = "try-the-checkout"


@get("/merchant/try", include_in_schema=False)
async def show(request: Req) -> Response[bytes]:
    """``?order=``: the test order whose checkout the button opens."""
    return await _page(request, contexts.current(request))


async def _page(
    request: Req, ctx: MerchantContext, *, typed: dict[str, str] | None = None, error: Problem | None = None
) -> Response[bytes]:
    wanted = filters.given(request, "order")
    row = await queries.of_merchant(ctx.id, True, contexts.require_id(wanted)) if wanted else None
    if wanted and row is None:
        raise contexts.NothingHere
    context = {
        "order": shown(row) if row else None,
        "publishable": await api_keys.publishable(ctx.id, test=True),
        "currencies": CURRENCIES,
        "values": typed or DEFAULTS,
        "errors": {_field(error): error.detail} if error else {},
        "script": f"/sdk/{sdk.VERSION}/checkout.js",
        "integrity": sdk.integrity(),
        "version": sdk.VERSION,
        "tag": str(sdk.script_tag()),  # shown as text, so it is escaped
    }
    return contexts.page(request, ctx, "merchant/try.html", context, status=error.status if error else 200)


def _field(error: Problem) -> str:
    return {"customer_email": "email"}.get(error.field or "", error.field or "amount")


@post("/merchant/try", include_in_schema=False, status_code=200)
async def create(request: Req) -> Response[bytes]:
    """Place an order of test mode, whichever mode is chosen."""
    ctx, form = contexts.current(request), await request.form()
    typed = {name: contexts.text(form, name) for name in DEFAULTS}
    try:
        amount = _amount(typed["amount"], typed["currency"])
        async with contexts.recorded(request, ctx, "order.charged", f"{amount} as a test"):
            row = await merchant_orders.create(
                ctx.id, test=True, amount=amount, reference=REFERENCE, email=typed["email"]
            )
    except (BadCharge, BadEmail) as error:
        return await _page(request, ctx, typed=typed, error=error)
    return see_other(f"/merchant/try?order={row.id}")


def _amount(text: str, currency: str) -> Money:
    try:
        return typed_amount(text, currency)
    except UnclearAmount as unclear:
        raise BadCharge(str(unclear), field="amount") from None
