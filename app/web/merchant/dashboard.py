"""Where a member begins."""

from typing import Any

from litestar import Request, Response, get

from app.core.i18n import _
from app.merchants import queries
from app.payments import queries as payments
from app.web.merchant import context as contexts
from app.web.merchant.context import MerchantContext
from app.web.merchant.payments import shown
from app.webhooks import queries as webhooks
from app.webhooks.states import DeliveryStatus

Req = Request[Any, Any, Any]
LATEST = 8  # rows of each list


@get("/merchant", include_in_schema=False, opt=contexts.ENTRANCE)
async def show(request: Req) -> Response[bytes]:
    """What is left to set up, and what went on lately. Whoever is not signed in is led to the login."""
    ctx = contexts.current(request)
    failed = {"status": DeliveryStatus.FAILED.value, "standing": True}  # nobody can do anything about a removed one's
    context = {
        "steps": await _steps(ctx),
        "payments": [shown(row) for row in await payments.merchant_page(ctx.id, ctx.test, {}, None, LATEST)],
        "failed": await webhooks.deliveries(ctx.id, ctx.test, failed, None, LATEST),
        "endpoints": [row for row in await webhooks.endpoints(ctx.id, ctx.test) if row.disabled_at],
    }
    return contexts.page(request, ctx, "merchant/dashboard.html", context)


async def _steps(ctx: MerchantContext) -> list[dict[str, object]]:
    """What is left to do until a payment comes in, in this mode."""
    keys = [key for key in await queries.keys(ctx.id, test=ctx.test) if key.kind == "secret" and key.in_use]
    merchant = await queries.one(ctx.id)
    paid = await payments.merchant_page(ctx.id, ctx.test, {"status": "success"}, None, 1)
    first = "/merchant/try" if ctx.test else "/merchant/guide#step-6"
    return [
        _step(bool(keys), "/merchant/keys", _("Make a %(mode)s key", mode=ctx.mode)),
        _step(
            bool(merchant and merchant.origins), "/merchant/keys#origins", _("List the sites that open the checkout")
        ),
        _step(bool(await webhooks.endpoints(ctx.id, ctx.test)), "/merchant/endpoints", _("Add a webhook endpoint")),
        _step(bool(paid), first, _("Take a %(mode)s payment", mode=ctx.mode)),
    ]


def _step(done: bool, href: str, words: str) -> dict[str, object]:
    return {"done": done, "href": href, "words": words}
