"""The cart's page and its two changes: put in, set the quantity. Plain forms, hurried on by htmx."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.catalog import queries as catalog
from app.catalog.models import Listed
from app.core.errors import Conflict
from app.core.i18n import _
from app.core.money import Money
from app.core.settings import settings
from app.orders.service import MOST_ITEMS, MOST_OF_ONE, Wanted
from app.web.kernel.body import read_form
from app.web.kernel.render import by_htmx, page, see_other
from app.web.store import cart_cookie
from app.web.store.products import ProductNotFound

Req = Request[Any, Any, Any]


class CartFull(Conflict):
    title = "Your cart is full"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the cart as it is shown, at today's price."""

    product: Listed
    quantity: int

    @property
    def line_total(self) -> Money:
        return self.product.price * self.quantity


@get("/cart", include_in_schema=False)
async def show(request: Req) -> Response[bytes]:
    return await _shown(request, cart_cookie.read(request))


@post("/cart", include_in_schema=False, status_code=200)
async def create(request: Req) -> Response[bytes]:
    """Put a game into the cart: form fields ``slug``, ``quantity``, and ``then=checkout`` to go straight on."""
    form = await read_form(request)
    product = await catalog.by_slug(form.get("slug", ""))
    if product is None:
        raise ProductNotFound
    lines = {line.product_id: line.quantity for line in cart_cookie.read(request)}
    wanted = lines.get(product.listed.id, 0) + max(_quantity(form), 1)
    if form.get("then") == "checkout":
        wanted = max(_quantity(form), 1)
    if len(lines) >= MOST_ITEMS and product.listed.id not in lines:
        raise CartFull(
            _("It can hold %(most_items)s different games. Order these first, or remove one.", most_items=MOST_ITEMS)
        )
    lines[product.listed.id] = min(wanted, MOST_OF_ONE)
    response = see_other("/checkout" if form.get("then") == "checkout" else "/cart")
    cart_cookie.write(response, [Wanted(i, n) for i, n in lines.items()])
    return response


@post("/cart/{slug:str}", include_in_schema=False, status_code=200)
async def update(request: Req, slug: FromPath[str]) -> Response[bytes]:
    """Set a line's quantity; 0 takes it out."""
    product = await catalog.by_slug(slug)
    quantity = _quantity(await read_form(request))
    lines = [line for line in cart_cookie.read(request) if product is None or line.product_id != product.listed.id]
    if product is not None and quantity > 0:
        place = next(
            (i for i, li in enumerate(cart_cookie.read(request)) if li.product_id == product.listed.id), len(lines)
        )
        lines.insert(place, Wanted(product.listed.id, min(quantity, MOST_OF_ONE)))
    request.state.cart_count = sum(line.quantity for line in lines)
    response = await _shown(request, lines) if by_htmx(request) else see_other("/cart")
    cart_cookie.write(response, lines)
    return response


def _quantity(form: dict[str, str]) -> int:
    text = form.get("quantity", "1").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


async def _shown(request: Req, wanted: list[Wanted]) -> Response[bytes]:
    found = await catalog.listed([w.product_id for w in wanted])
    lines: list[Line] = []
    notices: list[str] = []
    for want in wanted:
        product = found.get(want.product_id)
        if product is None:
            notices.append(_("A game in your cart is no longer sold, so we removed it."))
        else:
            lines.append(Line(product, want.quantity))
            if product.stock < want.quantity:
                notices.append(_scarce(product))
    total = sum((line.product.price * line.quantity for line in lines), Money(Decimal(0), settings().shop_currency))
    context = {"lines": lines, "total": total, "empty": not lines, "notices": notices}
    return page(request, "store/cart/show.html", context, partial="store/cart/_cart.html")


def _scarce(product: Listed) -> str:
    if not product.stock:
        return _("%(name)s: sold out. Change the quantity to continue.", name=product.name)
    return _("%(name)s: only %(left)s left. Change the quantity to continue.", name=product.name, left=product.stock)
