"""Where a member begins, and the switches between merchants and between test and live."""

from typing import Any

from litestar import Request, Response, get, post

from app.merchants import queries
from app.web.merchant import desk as desks
from app.web.merchant.desk import Desk, NothingHere, desk_key
from app.web.render import see_other
from app.web.viewer import remember_desk

Asked = Request[Any, Any, Any]
MODES = ("test", "live")


@get("/merchant", include_in_schema=False)
async def show(request: Asked) -> Response[bytes]:
    """What is left to set up, and what went on lately. Whoever is not signed in is led to the login."""
    if request.state.viewer.session is None:
        return see_other("/login")
    desk = await desks.at(request)
    return desks.page(request, desk, "merchant/dashboard.html", {"steps": await _steps(desk)})


async def _steps(desk: Desk) -> list[dict[str, Any]]:
    keys = [key for key in await queries.keys(desk.id, test=desk.test) if key["kind"] == "secret" and key["in_use"]]
    return [{"done": bool(keys), "href": "/merchant/keys", "words": f"Make a {desk.mode} key"}]


@get("/merchant/merchants", include_in_schema=False)
async def index(request: Asked) -> Response[bytes]:
    """All merchants of the viewer, to choose among."""
    return desks.page(request, await desks.at(request), "merchant/merchants.html", {})


@post("/merchant/choices", include_in_schema=False, status_code=200)
async def choose(request: Asked) -> Response[bytes]:
    """Work at another merchant, or in the other mode; remembered."""
    desk, form = await desks.at(request), await request.form()
    merchant_id = desks.found(desks.text(form, "merchant") or str(desk.id))
    mode = desks.text(form, "mode") or desk.mode
    if merchant_id not in {merchant["id"] for merchant in desk.merchants} or mode not in MODES:
        raise NothingHere
    where = desks.text(form, "from")
    response = see_other(where if where in LISTS else "/merchant")
    remember_desk(response, desk_key(merchant_id, test=mode == "test"))
    return response


LISTS = {f"/merchant/{part}" for part in ("orders", "payments", "refunds", "deliveries", "endpoints", "keys", "team")}
