"""A product for admins: what its supplier asks, and selling it at a price that was held back."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.catalog import products, queries
from app.catalog.models import AdminProduct
from app.core.ids import parse_id
from app.core.money import Money
from app.issues import queries as issues
from app.suppliers import own_stock
from app.web.kernel import guards
from app.web.kernel.render import answer, page, see_other, wants_json
from app.web.kernel.viewer import visitor
from app.web.store.products import ProductNotFound

Req = Request[Any, Any, Any]
BASE = "EUR"  # what the supplier asks is in


async def _found(product_id: str) -> AdminProduct:
    found = parse_id(product_id)
    product = await queries.for_admin(found) if found else None
    if product is None:
        raise ProductNotFound
    return product


@get("/admin/products/{product_id:str}", include_in_schema=False)
async def show(request: Req, product_id: FromPath[str]) -> Response[bytes]:
    product = await _found(product_id)
    if product.supplier == own_stock.NAME:
        return see_other(f"/admin/own-stock/{product.id}")
    asked = product.offered_cost if product.held_since else product.cost
    context = {
        "product": product,
        "price": Money(product.price, product.currency),
        "cost": Money(product.cost, BASE),
        "asked": Money(asked, BASE) if asked else None,
        "new_price": await products.priced(asked) if asked else None,
        "issues": await issues.open_for(f"product:{product.id}"),
    }
    return page(request, "admin/products/show.html", context)


@post("/admin/products/{product_id:str}/accepted-prices", include_in_schema=False, status_code=200)
async def accept(request: Req, product_id: FromPath[str]) -> Response[bytes]:
    """A person has looked: the product is sold at what its supplier asks."""
    product = await _found(product_id)
    async with guards.recorded(request, "product.price_accepted", details=f"{product.name} {product.offered_cost}"):
        await products.accept_price(product.id, by=visitor(request).actor)
    where = f"/admin/products/{product.id}"
    return answer({"productId": product.id}) if wants_json(request) else see_other(where)
