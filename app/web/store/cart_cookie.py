"""The cart: product ids and quantities in a cookie. No prices: those come from the catalog at every look."""

from typing import Any
from uuid import UUID

from litestar import Request, Response

from app.core.ids import parse_id
from app.orders.service import MOST_ITEMS, MOST_OF_ONE, Wanted
from app.web.kernel import cookies

COOKIE = "bitloot_cart"
LIFETIME = 14 * 86400  # seconds
Req = Request[Any, Any, Any]


def read(request: Req) -> list[Wanted]:
    """The cart's lines; whatever in the cookie is not one is passed over."""
    lines: dict[UUID, int] = {}
    for part in cookies.read(request, COOKIE).split(".")[: MOST_ITEMS * 2]:
        name, _, number = part.partition("~")
        product_id = parse_id(name)
        if product_id and number.isascii() and number.isdigit() and len(number) < 4 and 1 <= int(number) <= MOST_OF_ONE:
            lines[product_id] = int(number)
    return [Wanted(product_id, quantity) for product_id, quantity in list(lines.items())[:MOST_ITEMS]]


def count(request: Req) -> int:
    return sum(line.quantity for line in read(request))


def write(response: Response[Any], lines: list[Wanted]) -> None:
    text = ".".join(f"{line.product_id.hex}~{line.quantity}" for line in lines)
    cookies.keep(response, COOKIE, text, LIFETIME if text else 0)
