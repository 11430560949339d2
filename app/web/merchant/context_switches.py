"""The switches between merchants, and between test and live."""

from typing import Any

from litestar import Request, Response, get, post

from app.web.kernel.render import see_other
from app.web.kernel.viewer import remember_context
from app.web.merchant import context as contexts
from app.web.merchant.context import NothingHere, context_key

Req = Request[Any, Any, Any]
MODES = ("test", "live")
LISTS = {f"/merchant/{part}" for part in ("orders", "payments", "refunds", "deliveries", "endpoints", "keys", "team")}


@get("/merchant/merchants", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    """All merchants of the viewer, to choose among."""
    return contexts.page(request, contexts.current(request), "merchant/merchants.html", {})


@post("/merchant/choices", include_in_schema=False, status_code=200, opt=contexts.ANY_CONTEXT)
async def create(request: Req) -> Response[bytes]:
    """Work at another merchant, or in the other mode; remembered."""
    ctx, form = contexts.current(request), await request.form()
    merchant_id = contexts.require_id(contexts.text(form, "merchant") or str(ctx.id))
    mode = contexts.text(form, "mode") or ctx.mode
    if merchant_id not in {merchant.id for merchant in ctx.merchants} or mode not in MODES:
        raise NothingHere
    where = contexts.text(form, "from")
    response = see_other(where if where in LISTS else "/merchant")
    remember_context(response, context_key(merchant_id, test=mode == "test"))
    return response
