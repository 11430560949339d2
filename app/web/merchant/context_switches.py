"""The switches between merchants, and between test and live."""

from typing import Any

from litestar import Request, Response, get, post

from app.web.kernel.render import see_other
from app.web.kernel.viewer import remember_desk
from app.web.merchant import context as desks
from app.web.merchant.context import NothingHere, context_key

Req = Request[Any, Any, Any]
MODES = ("test", "live")
LISTS = {f"/merchant/{part}" for part in ("orders", "payments", "refunds", "deliveries", "endpoints", "keys", "team")}


@get("/merchant/merchants", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    """All merchants of the viewer, to choose among."""
    return desks.page(request, desks.current(request), "merchant/merchants.html", {})


@post("/merchant/choices", include_in_schema=False, status_code=200, opt=desks.ANY_CONTEXT)
async def create(request: Req) -> Response[bytes]:
    """Work at another merchant, or in the other mode; remembered."""
    desk, form = desks.current(request), await request.form()
    merchant_id = desks.require_id(desks.text(form, "merchant") or str(desk.id))
    mode = desks.text(form, "mode") or desk.mode
    if merchant_id not in {merchant.id for merchant in desk.merchants} or mode not in MODES:
        raise NothingHere
    where = desks.text(form, "from")
    response = see_other(where if where in LISTS else "/merchant")
    remember_desk(response, context_key(merchant_id, test=mode == "test"))
    return response
