"""A page for each code that the API refuses with: problem details name it in ``type``."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from app.core.errors import NotFound
from app.payments.states import Failure
from app.web.api.error_codes import CATALOG, by_status
from app.web.kernel.render import page

Req = Request[Any, Any, Any]
FAILURES = {
    Failure.DECLINED: "The bank declined it without a reason. Offer another way to pay.",
    Failure.INSUFFICIENT_FUNDS: "There is not enough money on the card. Offer another way to pay.",
    Failure.EXPIRED_CARD: "The card has expired. Ask for another one.",
    Failure.PROCESSING_ERROR: "The processor failed. The same card may work in a minute.",
    Failure.COIN_REFUSED: "The coin can't be taken for this amount now. Offer another coin.",
    Failure.ORDER_CLOSED: "The order ended before the payment could start. Create a new order.",
    Failure.EXPIRED: "Time ran out before money arrived.",
    Failure.CANCELLED: "You cancelled it.",
}


class NoSuchCode(NotFound):
    title = "There is no such error code"


@get("/docs/errors", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    listed = [(code, CATALOG[code]) for codes in by_status(sorted(CATALOG)).values() for code in codes]
    return page(request, "manual/errors.html", {"codes": listed, "failures": FAILURES})


@get("/docs/errors/{code:str}", include_in_schema=False)
async def show(request: Req, code: FromPath[str]) -> Response[bytes]:
    found = CATALOG.get(code)
    if found is None:
        raise NoSuchCode("See the list of all codes at /docs/errors.")
    return page(request, "manual/error.html", {"code": code, "told": found})
