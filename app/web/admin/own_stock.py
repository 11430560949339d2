"""The owner's own keys, for admins: products made of them, and what is left. No key is ever shown."""

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.core.errors import Problem
from app.core.i18n import _
from app.core.ids import parse_id
from app.core.money import Money, typed_decimal
from app.core.settings import settings
from app.issues import queries as issues
from app.suppliers import own_stock_products as products
from app.suppliers.own_stock_products import NewProduct, OwnProduct
from app.web.kernel import guards
from app.web.kernel.body import read_form
from app.web.kernel.render import answer, page, see_other, wants_json
from app.web.store.products import ProductNotFound

Req = Request[Any, Any, Any]
PATH = "/admin/own-stock"
EMPTY = {"name": "", "platform": "", "region": "", "price": "", "low_at": "5", "description": ""}


@get(PATH, include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    return await _list(request, EMPTY)


async def _list(request: Req, values: dict[str, str], error: Problem | None = None) -> Response[bytes]:
    asked = request.query_params
    after = parse_id(str(asked.get("after", "")))
    found = await products.page((str(asked.get("name", "")), after) if after else None)
    if wants_json(request):
        return answer({"items": found})
    last = found[-1] if len(found) == products.PAGE else None
    context = {
        "products": [_row(product) for product in found],
        "more": f"{PATH}?{urlencode({'name': last.name, 'after': last.id})}" if last else None,
        "values": values,
        "currency": settings().shop_currency,
        "errors": {error.field or "name": error.detail} if error else {},
    }
    return page(request, "admin/own_stock/index.html", context, status=error.status if error else 200)


class Row(msgspec.Struct, frozen=True):
    """A product as pages show it, with its state in words."""

    product: OwnProduct
    price: Money
    words: str
    tone: str


def _row(product: OwnProduct) -> Row:
    if not product.active:
        words, tone = _("Not sold"), ""
    elif not product.stock:
        words, tone = _("Sold out"), "danger"
    elif product.stock < product.low_at:
        words, tone = _("Few left"), "attention"
    else:
        words, tone = _("On sale"), "good"
    return Row(product, Money(product.price, product.currency), words, tone)


@post(PATH, include_in_schema=False, status_code=200)
async def create(request: Req) -> Response[bytes]:
    """A product of the owner's own, on sale as soon as it has keys."""
    form = await read_form(request)
    values = {name: form.get(name, "")[:20_000] for name in EMPTY}
    try:
        new = NewProduct(
            values["name"], values["platform"], values["region"], _price(values), _low_at(values), values["description"]
        )
        async with guards.recorded(request, "stock.product_created", details=new.name[:200]):
            product_id = await products.create(new)
    except products.BadProduct as error:
        if wants_json(request):
            raise
        return await _list(request, values, error)
    return answer({"productId": product_id}, status=201) if wants_json(request) else see_other(f"{PATH}/{product_id}")


def _price(values: dict[str, str]) -> Decimal:
    price = typed_decimal(values["price"], 2)
    if price is None:
        raise products.BadProduct("Enter a price such as 19.99.", field="price")
    return price


def _low_at(values: dict[str, str]) -> int:
    low_at = typed_decimal(values["low_at"], 0)
    if low_at is None:
        raise products.BadProduct("Enter a whole number.", field="low_at")
    return int(low_at)


async def find(product_id: str) -> OwnProduct:
    found = parse_id(product_id)
    product = await products.one(found) if found else None
    if product is None:
        raise ProductNotFound
    return product


@get(f"{PATH}/{{product_id:str}}", include_in_schema=False)
async def show(request: Req, product_id: FromPath[str]) -> Response[bytes]:
    return await shown(request, await find(product_id))


async def shown(
    request: Req, product: OwnProduct, values: dict[str, str] | None = None, error: Problem | None = None
) -> Response[bytes]:
    if wants_json(request):
        return answer(product)
    context = {
        "row": _row(product),
        "product": product,
        "values": values or {"price": f"{product.price:.2f}", "low_at": str(product.low_at)},
        "imports": await products.imports(product.id),
        "issues": await issues.open_for(f"product:{product.id}"),
        "errors": {error.field or "keys": error.detail} if error else {},
    }
    return page(request, "admin/own_stock/show.html", context, status=error.status if error else 200)


@post(f"{PATH}/{{product_id:str}}", include_in_schema=False, status_code=200)
async def update(request: Req, product_id: FromPath[str]) -> Response[bytes]:
    """Its price, when the owner is told that few keys are left, and whether it is sold."""
    product = await find(product_id)
    form = await read_form(request)
    values = {name: form.get(name, "")[:40] for name in ("price", "low_at")}
    active = form.get("active") == "yes"
    try:
        price, low_at = _price(values), _low_at(values)
        said = (
            f"{product.name}: {price} {settings().shop_currency}, told below {low_at}, {'' if active else 'not '}sold"
        )
        async with guards.recorded(request, "stock.product_changed", details=said):
            await products.change(product.id, price=price, low_at=low_at, active=active)
    except products.BadProduct as error:
        if wants_json(request):
            raise
        return await shown(request, product, values, error)
    where = f"{PATH}/{product.id}"
    return answer({"productId": product.id}) if wants_json(request) else see_other(where)
