"""The checkout form, and what it becomes: an order."""

import uuid
from typing import Any

import msgspec
from litestar import Request, Response, get, post

from app.accounts import addresses, tokens
from app.catalog import rates
from app.catalog.rates import SalesStopped
from app.core.errors import Invalid, Problem
from app.core.money import Money
from app.core.settings import settings
from app.orders import service as orders
from app.orders.service import BadItems, Quote, Wanted
from app.payments import coins
from app.payments import queries as payments
from app.payments import service as paying
from app.payments.models import Coin
from app.web.kernel.body import read_form, read_json
from app.web.kernel.described import json_answer, json_body
from app.web.kernel.rate_limits import bucket
from app.web.kernel.render import answer, page, see_other, sent_json, wants_json
from app.web.kernel.viewer import remember_order
from app.web.store import cart_cookie
from app.web.store.answers import Amount, OrderPlaced

Req = Request[Any, Any, Any]


class OrderedItem(msgspec.Struct, rename="camel", forbid_unknown_fields=False):
    """Prices and sums in a request are passed over: they come from our own tables."""

    product_id: uuid.UUID
    quantity: int


class NewOrder(msgspec.Struct, rename="camel", forbid_unknown_fields=False):
    email: str
    items: list[OrderedItem]
    pay_currency: str | None = None
    discount_code: str | None = None


@get("/checkout", include_in_schema=False)
async def new(request: Req) -> Response[bytes]:
    if not cart_cookie.read(request):
        return see_other("/cart")
    values = {"email": request.state.viewer.email or "", "pay_currency": "", "discount_code": ""}
    for name in ("discount_code", "email"):
        values[name] = str(request.query_params.get(name, ""))[:254] or values[name]
    return await _form(request, values, None, posted=False)


@get("/checkout/email-hint", include_in_schema=False)
async def email_hint(request: Req) -> Response[bytes]:
    email = str(request.query_params.get("email", ""))[:320]
    return page(request, "store/checkout/_email_hint.html", _hint(email))


@post(
    "/orders",
    summary="Place an order",
    tags=["shop"],
    status_code=201,
    opt=bucket("orders") | json_body(NewOrder),
    responses=json_answer(OrderPlaced, 201),
)
async def create(request: Req) -> Response[bytes]:
    """Store an order and ask for its payment: JSON in and out; or the checkout's form, leading to the order's page."""
    if sent_json(request):
        return await _create_by_json(request)
    form = await read_form(request)
    values = {name: form.get(name, "").strip()[:400] for name in ("email", "pay_currency", "discount_code")}
    try:
        placed = await _place(
            values["email"], cart_cookie.read(request), values["pay_currency"], values["discount_code"]
        )
    except (Invalid, orders.OutOfStock) as error:
        if wants_json(request):
            raise
        return await _form(request, values, error)
    response = see_other(f"/orders/{placed.order_id}")
    await remember_order(request, response, placed.order_id)
    cart_cookie.write(response, [])
    return response


async def _create_by_json(request: Req) -> Response[bytes]:
    asked = await read_json(request, NewOrder)
    wanted = [Wanted(item.product_id, item.quantity) for item in asked.items]
    placed = await _place(asked.email, wanted, asked.pay_currency, asked.discount_code)
    where = f"/orders/{placed.order_id}"
    token = tokens.orders_token([placed.order_id])
    response = answer(
        OrderPlaced(
            order_id=placed.order_id,
            status="created",
            total=Amount.of(placed.total),
            access_token=token,
            job_id=placed.job_id,
            links={
                "order": where,
                "status": f"/fulfillment/{placed.order_id}/status",
                "events": f"{where}/events",
                "job": f"/payments/jobs/{placed.job_id}/status",
            },
        ),
        status=201,
        headers={"location": where},
    )
    await remember_order(request, response, placed.order_id)
    return response


async def _place(email: str, wanted: list[Wanted], coin: str | None, code: str | None) -> orders.Placed:
    to = addresses.read(email)
    price = await orders.quote(wanted, code or None, email=to.email)
    chosen = await paying.choose_coin(coin, price.total) if coin and price.total.amount else None
    return await orders.place(to, price, pay_currency=chosen)


async def _form(request: Req, values: dict[str, str], error: Problem | None, *, posted: bool = True) -> Response[bytes]:
    """The form with what was typed, its faults beside their fields."""
    wanted = cart_cookie.read(request)
    price, error = await _priced(wanted, values, error)
    if price is None:
        return see_other("/cart")
    field = error.field if error else None
    beside = field in {"email", "pay_currency", "discount_code"}
    shown = {
        "lines": [{"product": p, "quantity": n, "line_total": p.price * n} for p, n in price.lines],
        "subtotal": price.subtotal,
        "discount": {"code": price.code, "percent": price.percent, "amount": price.discount} if price.code else None,
        "total": price.total,
        "coins": await coin_choices(await payments.coins(), price.total.currency),
        "values": values,
        "errors": {field: error.detail} if error and beside else {},
        "form_error": error.detail if error and not beside else None,
        **_hint(values["email"]),
    }
    return page(request, "store/checkout/new.html", shown, status=error.status if error and posted else 200)


async def _priced(
    wanted: list[Wanted], values: dict[str, str], error: Problem | None
) -> tuple[Quote | None, Problem | None]:
    """The cart's price; a code that can't be used is left out of it and said."""
    code = values["discount_code"]
    try:
        return await orders.quote(wanted, code or None, email=addresses.key(values["email"])), error
    except BadItems:
        return None, error
    except SalesStopped:
        raise
    except Problem as problem:
        if not code or problem.field != "discount_code":
            return None, error
        price, _ = await _priced(wanted, values | {"discount_code": ""}, None)
        return price, error or problem


class CoinChoice(msgspec.Struct, frozen=True):
    code: str
    name: str
    network: str
    memo: bool
    minimum: Money | None


async def coin_choices(offered: list[Coin], currency: str) -> list[CoinChoice]:
    """Coins as a form shows them; each minimum in ``currency``, or None where no rate tells it."""
    rate = await rates.between(settings().shop_currency, currency)
    return [
        CoinChoice(coin.code, coin.name, coin.network, coin.has_memo, coins.minimum_in(coin, currency, rate))
        for coin in offered
    ]


def _hint(email: str) -> dict[str, str | None]:
    meant = addresses.probably_meant(email) if email else None
    return {"email_hint": meant.rpartition("@")[2] if meant else None, "hint_email": meant or ""}
