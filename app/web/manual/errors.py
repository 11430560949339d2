"""A page for each code that the API refuses with: problem details name it in ``type``."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from app.core.errors import NotFound
from app.payments.states import Failure
from app.web.api.error_codes import CATALOG, by_status
from app.web.render import page

Asked = Request[Any, Any, Any]
FAILURES = {
    Failure.DECLINED: "The bank said no, without saying why. Offer another way to pay.",
    Failure.INSUFFICIENT_FUNDS: "There is not enough money on the card. Offer another way to pay.",
    Failure.EXPIRED_CARD: "The card is past its date. Ask for another one.",
    Failure.PROCESSING_ERROR: "The processor broke. The same card may work in a minute.",
    Failure.COIN_REFUSED: "The coin can't be taken for this amount now. Offer another coin.",
    Failure.ORDER_CLOSED: "Its order was over before the payment could be asked for. Place a new order.",
    Failure.EXPIRED: "Its time ran out before money came.",
    Failure.CANCELLED: "You called it off.",
}


class NoSuchCode(NotFound):
    title = "There is no such error code"


@get("/docs/errors", include_in_schema=False)
async def index(request: Asked) -> Response[bytes]:
    listed = [(code, CATALOG[code]) for codes in by_status(sorted(CATALOG)).values() for code in codes]
    return page(request, "manual/errors.html", {"codes": listed, "failures": FAILURES})


@get("/docs/errors/{code:str}", include_in_schema=False)
async def show(request: Asked, code: FromPath[str]) -> Response[bytes]:
    found = CATALOG.get(code)
    if found is None:
        raise NoSuchCode("Compare it with the list of all codes at /docs/errors.")
    return page(request, "manual/error.html", {"code": code, "told": found})
