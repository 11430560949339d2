"""Kinguin's buyer API over HTTP, at `/kinguin/esa/api` (fact sheet, sections 2 to 4)."""

from __future__ import annotations

import hmac
from functools import partial

from litestar import Router, get, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from dev.sandbox.fault_middleware import fault_middleware
from dev.sandbox.holds import holding
from dev.sandbox.kinguin import order_search, orders, refusals, search, views
from dev.sandbox.kinguin.products import BY_KINGUIN_ID, BY_PRODUCT_ID, CATALOGUE, REGIONS, Offer, Product
from dev.sandbox.kinguin.refusals import KinguinRefusal, order_not_found, unexpected
from dev.sandbox.records import Order
from dev.sandbox.wire import Answer, Call, answer, read_object
from dev.sandbox.world import World, world_of

PREFIX = "/kinguin/esa/api"


def routes(world: World) -> Router:
    """All routes of this provider behind its faults."""
    return Router(
        PREFIX,
        guards=[_key_guard],
        middleware=[
            holding("kinguin", world.holds, refusals.face, partial(orders.about, world)),
            fault_middleware("kinguin", world.switches, refusals.face),
        ],
        route_handlers=[
            list_products, show_product_v1, show_product_v2, list_regions, list_platforms, list_genres,
            show_balance, create_order_v1, create_order_v2, search_orders, show_order, list_keys, return_keys,
        ],
    )  # fmt: skip


async def _key_guard(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    given = connection.headers.get("x-api-key", "")
    expected = connection.app.state["world"].config.kinguin_api_key
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise KinguinRefusal("Authorization", 401, "Invalid authentication data.")


@get("/v1/products")
async def list_products(request: Call) -> Answer:
    """Search the catalogue; sold-out products are listed with `qty` 0."""
    return answer(search.page_of(world_of(request), dict(request.query_params)))


@get("/v1/products/{kinguin_id:str}")
async def show_product_v1(request: Call, kinguin_id: FromPath[str]) -> Answer:
    """One product by its number."""
    known = kinguin_id.isascii() and kinguin_id.isdigit() and len(kinguin_id) < 10
    return _product(request, BY_KINGUIN_ID.get(int(kinguin_id)) if known else None)


@get("/v2/products/{product_id:str}")
async def show_product_v2(request: Call, product_id: FromPath[str]) -> Answer:
    """One product by its id."""
    return _product(request, BY_PRODUCT_ID.get(product_id))


@get("/v1/regions")
async def list_regions() -> Answer:
    """All regions."""
    return answer([{"id": number, "name": name} for name, number in REGIONS.items()])


@get("/v1/platforms")
async def list_platforms() -> Answer:
    """All platforms there are products for."""
    return answer(sorted({product.platform for product in CATALOGUE}))


@get("/v1/genres")
async def list_genres() -> Answer:
    """All genres there are products of."""
    return answer(sorted({genre for product in CATALOGUE for genre in product.genres}))


@get("/v1/balance")
async def show_balance(request: Call) -> Answer:
    """What is left of the pre-paid money, in EUR."""
    return answer({"balance": world_of(request).storage.settings.balance})


@post("/v1/order", status_code=201)
async def create_order_v1(request: Call) -> Answer:
    """Buy by `kinguinId`."""
    return await _buy(request, version=1)


@post("/v2/order", status_code=201)
async def create_order_v2(request: Call) -> Answer:
    """Buy by `productId`."""
    return await _buy(request, version=2)


@get("/v1/order")
async def search_orders(request: Call) -> Answer:
    """Search our own orders."""
    return answer(order_search.page_of(world_of(request), dict(request.query_params)))


@get("/v1/order/{order_id:str}")
async def show_order(request: Call, order_id: FromPath[str]) -> Answer:
    """One order as it stands."""
    return answer(views.shown(_found(world_of(request), order_id)))


@get("/v2/order/{order_id:str}/keys")
async def list_keys(request: Call, order_id: FromPath[str]) -> Answer:
    """The delivered keys: a bare array, empty while there are none."""
    page, limit = search.paging(dict(request.query_params))
    found = orders.delivered(_found(world_of(request), order_id))
    return answer([views.key(row, slot) for row, slot in found[(page - 1) * limit : page * limit]])


@post("/v2/order/{order_id:str}/keys/return", status_code=200)
async def return_keys(request: Call, order_id: FromPath[str]) -> Answer:
    """Return all keys of an order."""
    world = world_of(request)
    kept = orders.give_back(world, _found(world, order_id))
    return answer([{"id": slot.id, "status": "DELIVERED"} for slot in kept])


async def _buy(request: Call, version: int) -> Answer:
    order, ambiguous = orders.place(world_of(request), await read_object(request), version)
    if ambiguous:
        raise unexpected()
    return answer(views.created(order), 201)


def _product(request: Call, product: Product | None) -> Answer:
    offer = Offer(world_of(request), product) if product else None
    if offer is None or offer.withdrawn:
        raise KinguinRefusal("HttpClient", 404, "Product not found.")
    return answer(offer.view())


def _found(world: World, order_id: str) -> Order:
    order = world.storage.orders.get(order_id)
    if order is None:
        raise order_not_found()
    return order
