"""A page for each code that the API refuses with: problem details name it in ``type``."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from app.core.errors import NotFound
from app.core.i18n import N_
from app.payments.states import Failure
from app.web.api.error_codes import CATALOG, by_status
from app.web.kernel.render import page
from app.web.manual.navigation import sections

Req = Request[Any, Any, Any]
FAILURES = {
    Failure.DECLINED: N_("The bank declined it without a reason. Offer another way to pay."),
    Failure.INSUFFICIENT_FUNDS: N_("There is not enough money on the card. Offer another way to pay."),
    Failure.EXPIRED_CARD: N_("The card has expired. Ask for another one."),
    Failure.PROCESSING_ERROR: N_("The processor failed. The same card may work in a minute."),
    Failure.COIN_REFUSED: N_("The coin can't be taken for this amount now. Offer another coin."),
    Failure.ORDER_CLOSED: N_("The order ended before the payment could start. Create a new order."),
    Failure.EXPIRED: N_("Time ran out before money arrived."),
    Failure.CANCELLED: N_("You cancelled it."),
}


class NoSuchCode(NotFound):
    title = "There is no such error code"


@get("/docs/errors", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    listed = [(code, CATALOG[code]) for codes in by_status(sorted(CATALOG)).values() for code in codes]
    return page(request, "manual/errors.html", {"codes": listed, "failures": FAILURES, "sections": sections()})


@get("/docs/errors/{code:str}", include_in_schema=False)
async def show(request: Req, code: FromPath[str]) -> Response[bytes]:
    found = CATALOG.get(code)
    if found is None:
        raise NoSuchCode("See the list of all codes at /docs/errors.")
    return page(request, "manual/error.html", {"code": code, "told": found, "sections": sections()})
