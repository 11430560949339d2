"""The Kinguin client against the sheet's own bodies (kinguin.md sections 2 to 6)."""

import json
import logging
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from app.providers.http import ApiKeyRejected, ProviderDown, ProviderError, ProviderProtocolError, ProviderRefused
from app.providers.kinguin import (
    DuplicateOrder,
    InsufficientBalance,
    KeyState,
    Kinguin,
    NothingToReturn,
    OrderFailed,
    OrderNotFound,
    ProductUnavailable,
    ResourceLocked,
)

ORDER = """{"totalPrice":5.79,"requestTotalPrice":5.79,"status":"processing","userEmail":"shop@example.com",
 "storeId":1,"createdAt":"2020-10-28T08:40:44+00:00","orderId":"PHS84FJAG5U","orderExternalId":"o-1-a1",
 "paymentPrice":5.29,"products":[{"kinguinId":1949,"offerId":"5f7efd272f3a650001f42722",
 "productId":"5c9b68662539a4e8f17ae2fe","qty":1,"name":"Counter-Strike: Source Steam CD Key","price":5.79,
 "totalPrice":5.79,"requestPrice":5.79,"isPreorder":false,"releaseDate":"2020-10-07","keyType":"text"}],
 "totalQty":1,"isPreorder":false,"preorderReleaseDate":"2020-10-07"}"""

PRODUCT = """{"kinguinId":1949,"productId":"5c9b5f6b2539a4e8f172916a","cheapestOfferId":["611222acff9ca40001f0b020"],
 "name":"Counter-Strike: Source Steam CD Key","originalName":"Counter-Strike: Source","description":"...",
 "developers":["Valve"],"publishers":["Valve"],"genres":["Action"],"platform":"Steam","releaseDate":"2004-11-01",
 "qty":845,"textQty":845,"price":5.79,"offersCount":2,"totalQty":900,"isPreorder":false,"metacriticScore":88,
 "regionalLimitations":"REGION FREE","countryLimitation":["RU","BY"],"regionId":3,"activationDetails":"...",
 "videos":[],"languages":["English"],"updatedAt":"2020-10-16T11:24:08+00:00","systemRequirements":[],
 "tags":["base"],"merchantName":["KinguinHK"],"ageRating":"PEGI 18","steam":"240",
 "images":{"screenshots":[{"url":"...","thumbnail":"..."}],"cover":{"url":"https://c/x.jpg","thumbnail":"..."}},
 "offers":[{"name":"...","offerId":"5f7efe3b369b4a0001c5b46f","price":5.79,"qty":149,"availableQty":149,
 "textQty":149,"availableTextQty":140,"merchantName":"KinguinHK","isPreorder":false,"releaseDate":"2004-11-01",
 "wholesale":{"enabled":true,"tiers":[{"level":1,"price":5.5}]}}]}"""

ERROR = """{"kind":"%s","status":%d,"%s":"Bad Request","detail":"%s","path":"/api/v1/order","method":"POST",
 "trace":"082a4cee9b","timestamp":"2020-09-01T13:06:06+00:00","propertyPath":"%s","invalidValue":100}"""

BUY: dict[str, Any] = {
    "external_id": "o-1-a1",
    "product_id": "5c9b68662539a4e8f17ae2fe",
    "quantity": 1,
    "max_unit_price": Decimal("5.79"),
}


def order(**changes: Any) -> dict[str, Any]:
    return json.loads(ORDER) | changes


def listed(*orders: dict[str, Any]) -> str:
    return json.dumps({"results": orders, "item_count": len(orders)})


def key_row(number: int, **changes: Any) -> dict[str, Any]:
    row = {"id": f"{number:024x}", "serial": f"KEY-{number}", "type": "text/plain", "name": "Game", "kinguinId": 1949}
    return row | {"offerId": "5f7efd272f3a650001f42722", "productId": "5c9b68662539a4e8f17ae2fe"} | changes


@pytest_asyncio.fixture(loop_scope="session")
async def client(wire: Any) -> AsyncIterator[Kinguin]:
    client = Kinguin(f"{wire.url}/esa/api", "kinguin-key", total_seconds=0.5)
    yield client
    await client.aclose()


async def test_buying_names_our_id_the_limit_and_text(wire: Any, client: Kinguin) -> None:
    wire.on("POST /esa/api/v2/order", ORDER, 201)
    bought = await client.reserve(**BUY | {"max_unit_price": Decimal("5.790")})
    assert wire.last.headers["x-api-key"] == "kinguin-key"
    assert b'"price":5.790,' in wire.last.body
    row = {"productId": "5c9b68662539a4e8f17ae2fe", "qty": 1, "price": 5.79, "keyType": "text"}
    assert wire.last.json == {"products": [row], "orderExternalId": "o-1-a1"}
    assert (bought.order_id, bought.external_id, bought.status) == ("PHS84FJAG5U", "o-1-a1", "processing")
    assert (bought.quantity, bought.charged, bought.keys) == (1, Decimal("5.29"), ())
    await client.reserve(**BUY, text_only=False)
    assert "keyType" not in wire.last.json["products"][0]


async def test_charged_comes_as_text_as_well(wire: Any, client: Kinguin) -> None:
    wire.on("GET /esa/api/v1/order/X1", json.dumps(order(paymentPrice="5.29", totalQty=None)))
    read = await client.get_delivered("X1")
    assert (read.charged, read.quantity) == (Decimal("5.29"), 1)


async def test_an_order_is_found_by_our_id_only(wire: Any, client: Kinguin) -> None:
    wire.on("GET /esa/api/v1/order", listed(order()))
    found = await client.find("o-1-a1")
    assert found is not None
    assert found.order_id == "PHS84FJAG5U"
    assert wire.last.query == {"orderExternalId": "o-1-a1", "limit": "100"}


async def test_nothing_found_is_none(wire: Any, client: Kinguin) -> None:
    wire.on("GET /esa/api/v1/order", listed())
    assert await client.find("o-1-a1") is None


async def test_a_search_that_did_not_filter_proves_nothing(wire: Any, client: Kinguin) -> None:
    wire.on("GET /esa/api/v1/order", listed(order(orderExternalId="other"), order(orderExternalId=None)))
    with pytest.raises(ProviderProtocolError):
        await client.find("o-1-a1")


async def test_of_twins_the_living_and_then_the_oldest_counts(
    wire: Any, client: Kinguin, caplog: pytest.LogCaptureFixture
) -> None:
    dead = order(orderId="DEAD", status="canceled", createdAt="2020-10-28T08:00:00+00:00")
    first = order(orderId="FIRST", createdAt="2020-10-28T10:00:00+02:00")
    second = order(orderId="SECOND", createdAt="2020-10-28T09:00:00+00:00")
    wire.on("GET /esa/api/v1/order", listed(second, dead, first))
    caplog.set_level(logging.WARNING)
    found = await client.find("o-1-a1")
    assert found is not None
    assert found.order_id == "FIRST"
    assert "holds 3 orders" in caplog.text
    assert [one.order_id for one in await client.find_all("o-1-a1")] == ["SECOND", "DEAD", "FIRST"]


async def test_partial_delivery_is_seen_key_by_key(wire: Any, client: Kinguin) -> None:
    states = [{"id": "a", "status": "DELIVERED"}, {"id": "b", "status": "PROCESSING"}]
    more = [{"id": "c", "status": "DELIVERED"}, {"id": "d", "status": "CANCELED"}]
    rows = [{"qty": 2, "keys": states}, {"qty": 2, "keys": more}]
    wire.on("GET /esa/api/v1/order/PHS84FJAG5U", json.dumps(order(products=rows, totalQty=4)))
    read = await client.get_delivered("PHS84FJAG5U")
    assert (read.quantity, read.delivered) == (4, 2)
    assert read.keys[3] == KeyState("d", "canceled")


async def test_keys_are_paged_to_the_end_and_counted_once(wire: Any, client: Kinguin) -> None:
    route = "GET /esa/api/v2/order/PHS84FJAG5U/keys"
    wire.on(route, json.dumps([key_row(n) for n in range(100)]))
    wire.on(route, json.dumps([key_row(n) for n in range(99, 199)]))
    wire.on(route, json.dumps([key_row(n) for n in (198, 199)]))
    keys = await client.keys("PHS84FJAG5U")
    assert [key.serial.reveal() for key in keys] == [f"KEY-{n}".encode() for n in range(200)]
    assert [seen.query for seen in wire.seen] == [{"page": str(n), "limit": "100"} for n in (1, 2, 3)]


async def test_a_server_that_repeats_its_page_does_not_hold_us(wire: Any, client: Kinguin) -> None:
    wire.on("GET /esa/api/v2/order/X/keys", json.dumps([key_row(n) for n in range(100)]))
    assert len(await client.keys("X")) == 100
    assert len(wire.seen) == 2


async def test_keys_are_hidden_and_images_keep_their_type(wire: Any, client: Kinguin) -> None:
    image = b64encode(b"\x89PNG canary").decode()
    wire.on("GET /esa/api/v2/order/X/keys", json.dumps([key_row(1), key_row(2, serial=image, type="image/PNG")]))
    text, picture = await client.keys("X")
    assert (text.media_type, picture.media_type) == ("text/plain", "image/png")
    assert picture.serial.reveal().decode() == image
    assert "KEY-1" not in repr(text) + str(text)
    assert image not in repr([picture])


@pytest.mark.parametrize("bad", [{"serial": None}, {"serial": ""}, {"serial": ["canary"]}, {"id": None}])
async def test_a_broken_key_is_confused_without_showing_any(wire: Any, client: Kinguin, bad: Any) -> None:
    wire.on("GET /esa/api/v2/order/X/keys", json.dumps([key_row(1, serial="canary-7"), key_row(2, **bad)]))
    with pytest.raises(ProviderProtocolError) as confused:
        await client.keys("X")
    assert "canary" not in str(vars(confused.value)) + str(confused.value)


async def test_no_keys_yet_is_an_empty_list(wire: Any, client: Kinguin) -> None:
    wire.on("GET /esa/api/v2/order/X/keys", "[]")
    assert await client.keys("X") == []


async def test_keys_are_given_back(wire: Any, client: Kinguin) -> None:
    wire.on("POST /esa/api/v2/order/X/keys/return", '[{"id":"a","status":"DELIVERED"}]')
    assert await client.return_keys("X") == (KeyState("a", "delivered"),)
    assert wire.last.body == b""


async def test_a_product_reads_whole(wire: Any, client: Kinguin) -> None:
    wire.on("GET /esa/api/v2/products/5c9b5f6b2539a4e8f172916a", PRODUCT)
    read = await client.product("5c9b5f6b2539a4e8f172916a")
    assert read is not None
    assert (read.product_id, read.kinguin_id, read.price) == ("5c9b5f6b2539a4e8f172916a", "1949", Decimal("5.79"))
    assert (read.original_name, read.platform, read.region) == ("Counter-Strike: Source", "Steam", "REGION FREE")
    assert (read.quantity, read.text_quantity, read.total_quantity) == (845, 845, 900)
    assert (read.blocked_countries, read.cover_url) == (("RU", "BY"), "https://c/x.jpg")
    assert read.updated_at == datetime(2020, 10, 16, 11, 24, 8, tzinfo=UTC)
    assert (read.offers[0].price, read.offers[0].available, read.offers[0].available_text) == (
        Decimal("5.79"), 149, 140,
    )  # fmt: skip


async def test_a_product_that_is_gone_is_none_but_a_cdn_page_is_down(wire: Any, client: Kinguin) -> None:
    route = "GET /esa/api/v2/products/gone"
    wire.on(route, ERROR % ("HttpClient", 404, "type", "x", ""), 404).on(route, b"<html>404</html>", 404)
    assert await client.product("gone") is None
    with pytest.raises(ProviderDown):
        await client.product("gone")


async def test_one_odd_product_does_not_stop_the_page(wire: Any, client: Kinguin) -> None:
    odd = [7, {}, {"productId": "x"}, {"productId": "x", "name": "n", "price": "free"}]
    bare = {"productId": "y", "name": "Bare", "price": 1}
    wire.on("GET /esa/api/v1/products", json.dumps({"results": [*odd, bare], "item_count": 1234}))
    page = await client.products(page=3, limit=5, updated_since=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert (page.total, page.rows, [one.name for one in page.results]) == (1234, 5, ["n", "Bare"])
    assert [(row.name, row.why) for row in page.odd] == [
        ("a row without an id", "the answer is not an object"), ("a row without an id", "name is missing"),
        ("x", "name is missing"),
    ]  # fmt: skip
    assert [one.price for one in page.results] == [None, Decimal(1)], "a price that is none is not a row that is none"
    assert wire.last.query == {
        "page": "3", "limit": "5", "sortBy": "kingiunId", "sortType": "asc",
        "updatedSince": "2026-01-02T03:04:05+00:00",
    }  # fmt: skip


async def test_searching_by_name(wire: Any, client: Kinguin) -> None:
    wire.on("GET /esa/api/v1/products", f'{{"results":[{PRODUCT}],"item_count":1}}')
    page = await client.search("counter & strike", platform="Steam", text_only=True)
    assert len(page.results) == page.total == 1
    assert wire.last.query == {
        "name": "counter & strike", "page": "1", "limit": "25", "platform": "Steam", "withText": "yes",
    }  # fmt: skip


async def test_balance_and_health(wire: Any, client: Kinguin) -> None:
    wire.on("GET /esa/api/v1/balance", '{"balance":12.45}')
    assert await client.balance() == Decimal("12.45")
    assert await client.health() is None


@pytest.mark.parametrize("label", ["title", "type"])
@pytest.mark.parametrize(
    ("kind", "status", "detail", "path", "error", "happened"),
    [
        ("ConstraintViolation", 400, "Sum of qty must be lower than or equal 90.", "products", ProviderRefused, False),
        ("ConstraintViolation", 422, "Order with this orderExternalId already exists", "", DuplicateOrder, True),
        ("ConstraintViolation", 400, "This value is already used.", "orderExternalId", DuplicateOrder, True),
        ("ConstraintViolation", 400, "This value is too long.", "orderExternalId", ProviderRefused, False),
        ("Http", 404, "No route found", "", ProviderRefused, False),
        ("Authorization", 401, "Invalid authentication data.", "", ApiKeyRejected, False),
        ("InsufficientBalance", 402, "Balance too low", "", InsufficientBalance, False),
        ("ProductUnavailable", 400, "No offer", "", ProductUnavailable, False),
        ("OrderFailed", 422, "There was a problem with placing order.", "", OrderFailed, True),
        ("Preorder", 400, "no keyType for pre-orders", "", ProviderRefused, False),
        ("ResourceLock", 409, "locked", "", ResourceLocked, False),
        ("HttpClient", 404, "upstream", "", ProductUnavailable, True),
        ("HttpClient", 500, "upstream", "", ProviderDown, True),
        ("HttpClient", 400, "upstream", "", ProviderDown, False),
        ("Error", 500, "unexpected", "", ProviderDown, True),
        ("SomethingNew", 503, "?", "", ProviderDown, True),
        ("SomethingNew", 400, "?", "", ProviderRefused, False),
    ],
)
async def test_what_buying_can_answer(
    wire: Any,
    client: Kinguin,
    kind: str,
    status: int,
    detail: str,
    path: str,
    error: type,
    happened: bool,
    label: str,
) -> None:
    wire.on("POST /esa/api/v2/order", ERROR % (kind, status, label, detail, path), status)
    with pytest.raises(ProviderError) as failed:
        await client.reserve(**BUY)
    assert type(failed.value) is error
    assert (failed.value.code, failed.value.status, failed.value.detail) == (kind, status, detail)
    assert failed.value.may_have_happened is happened


async def test_a_locked_resource_waits_a_moment(wire: Any, client: Kinguin) -> None:
    wire.on("POST /esa/api/v2/order/X/keys/return", ERROR % ("ResourceLock", 409, "type", "locked", ""), 409)
    with pytest.raises(ResourceLocked) as locked:
        await client.return_keys("X")
    assert locked.value.retry_after == 1


async def test_unknown_orders_and_unreturnable_keys(wire: Any, client: Kinguin) -> None:
    wire.on("GET /esa/api/v1/order/X", ERROR % ("OrderNotFound", 404, "title", "none", ""), 404)
    wire.on("GET /esa/api/v2/order/X/keys", '{"status":404,"detail":"none"}', 404)
    wire.on("POST /esa/api/v2/order/X/keys/return", ERROR % ("NoKeysToReturn", 400, "type", "claimed", ""), 400)
    with pytest.raises(OrderNotFound):
        await client.get_delivered("X")
    with pytest.raises(OrderNotFound):
        await client.keys("X")
    with pytest.raises(NothingToReturn):
        await client.return_keys("X")


async def test_the_trace_of_an_error_is_logged(wire: Any, client: Kinguin, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    wire.on("GET /esa/api/v1/balance", ERROR % ("Error", 500, "title", "boom", ""), 500)
    with pytest.raises(ProviderDown):
        await client.balance()
    assert vars(caplog.records[-1])["trace"] == "082a4cee9b"


async def test_an_id_cannot_lead_elsewhere(wire: Any, client: Kinguin) -> None:
    with pytest.raises(OrderNotFound):
        await client.get_delivered("../balance")
    assert wire.last.path == "/esa/api/v1/order/..%2Fbalance"
