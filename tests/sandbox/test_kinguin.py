"""Kinguin buys at once, charges once, and delivers now, later, in part, as pictures, or not at all."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from decimal import Decimal
from typing import Any

import pytest

from dev.sandbox.kinguin.products import CATALOGUE
from tests.sandbox.conftest import Sandbox, Shop, parsed


async def bought(sandbox: Sandbox, product: dict[str, Any], **changes: Any) -> str:
    answer = await sandbox.buy(product, **changes)
    assert answer.status_code == 201, answer.text
    return str(parsed(answer)["orderId"])


async def status(sandbox: Sandbox, order_id: str) -> str:
    return str(parsed(await sandbox.kinguin.get(f"/v1/order/{order_id}"))["status"])


async def act(sandbox: Sandbox, order_id: str, action: str) -> int:
    return (await sandbox.control.post(f"/orders/{order_id}", json={"action": action})).status_code


def special(kind: str) -> str:
    return next(it.product_id for it in CATALOGUE if it.special == kind)


async def test_the_catalogue_has_sixty_games_to_sell_and_can_be_paged(sandbox: Sandbox) -> None:
    first = parsed(await sandbox.kinguin.get("/v1/products?limit=50"))
    second = parsed(await sandbox.kinguin.get("/v1/products?limit=50&page=2"))
    everything = first["results"] + second["results"]
    assert len({it["productId"] for it in everything}) == first["item_count"] == len(CATALOGUE)
    assert sum(it["qty"] > 0 for it in everything) >= 60
    assert all(re.fullmatch("[0-9a-f]{24}", it["productId"]) for it in everything)
    assert all(Decimal("0.79") <= it["price"] <= Decimal("54.99") for it in everything)
    assert all(it["name"] == f"{it['originalName']} {it['platform']} CD Key" for it in everything)
    assert all(it["offers"][0]["offerId"] == it["cheapestOfferId"][0] for it in everything if it["qty"])


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("name=lanternmoth", ["Lanternmoth Hollow"]),
        ("kinguinId=100101,100108&sortType=desc", ["Saltglass Corsairs", "Lanternmoth Hollow"]),
        ("isPreorder=yes", ["Starless Orangery"]),
        ("platform=Battle.net", ["Dustwing Armada"]),
        ("updatedSince=2030-01-01", []),
    ],
)
async def test_products_are_found(sandbox: Sandbox, query: str, titles: list[str]) -> None:
    found = parsed(await sandbox.kinguin.get(f"/v1/products?{query}"))
    assert [it["originalName"] for it in found["results"]] == titles


@pytest.mark.parametrize("query", ["limit=101", "limit=0", "page=0", "page=x", "name=ab", "updatedSince=soon"])
async def test_a_bad_query_violates_a_constraint(sandbox: Sandbox, query: str) -> None:
    answer = await sandbox.kinguin.get(f"/v1/products?{query}")
    assert (answer.status_code, parsed(answer)["kind"]) == (400, "ConstraintViolation")


async def test_an_order_is_charged_once_and_delivered_at_once(sandbox: Sandbox, shop: Shop) -> None:
    product = await sandbox.product()
    answer = parsed(await sandbox.buy(product, qty=2, price=float(product["price"]) + 1))
    assert (answer["status"], answer["paymentPrice"]) == ("processing", product["price"] * 2)
    assert re.fullmatch("[A-Z0-9]{11}", answer["orderId"])
    assert await sandbox.balance() == 100_000 - product["price"] * 2
    assert await status(sandbox, answer["orderId"]) == "completed"
    keys = await sandbox.keys(answer["orderId"])
    assert all(re.fullmatch("[A-Z2-9]{5}-[A-Z2-9]{5}-[A-Z2-9]{5}", it["serial"]) for it in keys)
    assert len({it["serial"] for it in keys}) == 2
    assert await sandbox.keys(answer["orderId"]) == keys
    assert (await sandbox.product())["qty"] == product["qty"] - 2
    assert [it.json["status"] for it in await shop.hears(1)] == ["completed"]


async def test_a_webhook_carries_the_secret_and_no_key(sandbox: Sandbox, shop: Shop) -> None:
    order_id = await bought(sandbox, await sandbox.product())
    notice = (await shop.hears(1))[0]
    assert notice.path == "/webhooks/kinguin"
    assert notice.headers["content-type"] == "aplication/json"
    assert notice.headers["x-event-name"] == "order.status"
    assert notice.headers["x-event-secret"] == "sandbox-kinguin-webhook-secret"
    expected = hmac.new(b"hex", notice.body, hashlib.sha512).hexdigest()
    assert notice.headers["x-kinguin-signature"] == expected
    assert list(notice.json) == ["orderId", "orderExternalId", "status", "updatedAt"]
    assert (notice.json["orderId"], notice.json["orderExternalId"]) == (order_id, "r-1")


async def test_a_used_external_id_is_refused_or_accepted_as_set(sandbox: Sandbox) -> None:
    product = await sandbox.product()
    await bought(sandbox, product)
    again = await sandbox.buy(product)
    assert (again.status_code, parsed(again)["kind"]) == (422, "ConstraintViolation")
    assert await sandbox.balance() == 100_000 - product["price"]
    await sandbox.control.post("/settings", json={"duplicateMode": "accept"})
    await bought(sandbox, product)
    assert parsed(await sandbox.kinguin.get("/v1/order?orderExternalId=r-1"))["item_count"] == 2


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"price": 0.01}, "ProductUnavailable"),
        ({"qty": 10}, "ConstraintViolation"),
        ({"qty": 0}, "ConstraintViolation"),
        ({"qty": True}, "ConstraintViolation"),
        ({"price": "5"}, "ConstraintViolation"),
        ({"keyType": "image"}, "ConstraintViolation"),
        ({"productId": "f" * 24}, "ProductUnavailable"),
        ({"offerId": "f" * 24}, "ProductUnavailable"),
        ({"productId": special("sold_out"), "price": 99}, "ProductUnavailable"),
        ({"productId": special("preorder"), "price": 99}, "Preorder"),
        ({"orderExternalId": 7}, "ConstraintViolation"),
    ],
)
async def test_a_refused_order_costs_nothing(sandbox: Sandbox, changes: dict[str, Any], kind: str) -> None:
    answer = await sandbox.buy(await sandbox.product(), **changes)
    assert 400 <= answer.status_code < 500
    assert parsed(answer)["kind"] == kind
    assert parsed(answer)["path"] == "/api/v2/order"
    assert await sandbox.balance() == 100_000
    assert parsed(await sandbox.control.get("/orders")) == []


async def test_rows_must_be_unique_and_at_most_ten(sandbox: Sandbox) -> None:
    product = await sandbox.product()
    row = {"productId": product["productId"], "qty": 1, "price": 99}
    for rows in ([], [row, row], [row] * 11, "rows"):
        answer = await sandbox.kinguin.post("/v2/order", json={"products": rows})
        assert (answer.status_code, parsed(answer)["kind"]) == (400, "ConstraintViolation")


async def test_too_little_balance_and_too_little_stock_refuse(sandbox: Sandbox) -> None:
    product = await sandbox.product(stock=1)
    assert parsed(await sandbox.buy(product, qty=2))["kind"] == "ProductUnavailable"
    await sandbox.control.post("/settings", json={"balance": 1})
    assert parsed(await sandbox.buy(product))["kind"] == "InsufficientBalance"


async def test_a_sold_out_product_reads_as_not_found(sandbox: Sandbox) -> None:
    product = await sandbox.product(stock=1)
    await bought(sandbox, product)
    answer = await sandbox.kinguin.get(f"/v2/products/{product['productId']}")
    assert (answer.status_code, parsed(answer)["kind"]) == (404, "HttpClient")
    listed = parsed(await sandbox.kinguin.get("/v1/products?limit=1"))["results"][0]
    assert (listed["qty"], listed["offers"]) == (0, [])


async def test_delivery_by_hand_comes_key_by_key(sandbox: Sandbox, shop: Shop) -> None:
    order_id = await bought(sandbox, await sandbox.product(mode="by_hand"), qty=2)
    assert await sandbox.keys(order_id) == []
    assert await act(sandbox, order_id, "deliver_one") == 200
    assert len(await sandbox.keys(order_id)) == 1
    assert await status(sandbox, order_id) == "processing"
    rows = parsed(await sandbox.kinguin.get(f"/v1/order/{order_id}"))["products"]
    assert [key["status"] for key in rows[0]["keys"]] == ["DELIVERED", "PROCESSING"]
    await act(sandbox, order_id, "deliver_one")
    assert await status(sandbox, order_id) == "completed"
    assert len(await sandbox.keys(order_id)) == 2
    assert await act(sandbox, order_id, "deliver") == 409


async def test_the_rest_of_a_part_comes_after_the_delay(sandbox: Sandbox, shop: Shop) -> None:
    order_id = await bought(sandbox, await sandbox.product(partial=1, delay="0.2"), qty=3)
    assert len(await sandbox.keys(order_id)) == 1
    assert await status(sandbox, order_id) == "processing"
    await shop.hears(1)
    assert len(await sandbox.keys(order_id)) == 3


async def test_image_keys_come_unless_text_is_asked_for(sandbox: Sandbox) -> None:
    product = parsed(await sandbox.kinguin.get(f"/v2/products/{special('image')}"))
    pictures = await sandbox.keys(await bought(sandbox, product, keyType=None))
    assert pictures[0]["type"] == "image/png"
    assert base64.b64decode(pictures[0]["serial"]).startswith(b"\x89PNG\r\n\x1a\n")
    texts = await sandbox.keys(await bought(sandbox, product, orderExternalId="r-2"))
    assert texts[0]["type"] == "text/plain"


async def test_cancel_and_refund_pay_back(sandbox: Sandbox, shop: Shop) -> None:
    product = await sandbox.product(mode="by_hand")
    cancelled = await bought(sandbox, product, qty=2)
    await act(sandbox, cancelled, "deliver_one")
    assert await act(sandbox, cancelled, "cancel") == 200
    assert await sandbox.balance() == 100_000 - product["price"]
    assert len(await sandbox.keys(cancelled)) == 1
    refunded = await bought(sandbox, product, orderExternalId="r-2")
    await act(sandbox, refunded, "deliver")
    assert await act(sandbox, refunded, "refund") == 200
    assert await sandbox.balance() == 100_000 - product["price"]
    assert await sandbox.keys(refunded) == []
    assert await act(sandbox, refunded, "refund") == 409
    await shop.hears(3)
    assert shop.statuses == ["canceled", "completed", "refunded"]


async def test_keys_are_returned_once(sandbox: Sandbox, shop: Shop) -> None:
    order_id = await bought(sandbox, await sandbox.product())
    returned = await sandbox.kinguin.post(f"/v2/order/{order_id}/keys/return")
    assert [key["status"] for key in parsed(returned)] == ["DELIVERED"]
    await shop.hears(2)
    assert await status(sandbox, order_id) == "refunded"
    assert await sandbox.balance() == 100_000
    again = await sandbox.kinguin.post(f"/v2/order/{order_id}/keys/return")
    assert parsed(again)["kind"] == "NoKeysToReturn"


@pytest.mark.parametrize(("mode", "end"), [("cancel", "canceled"), ("refund", "refunded")])
async def test_a_product_can_end_badly(sandbox: Sandbox, mode: str, end: str) -> None:
    order_id = await bought(sandbox, await sandbox.product(mode=mode))
    assert await status(sandbox, order_id) == end
    assert await sandbox.balance() == 100_000


async def test_a_500_may_hide_an_order(sandbox: Sandbox) -> None:
    product = await sandbox.product(mode="error_after_effect")
    answer = await sandbox.buy(product)
    assert (answer.status_code, parsed(answer)["kind"]) == (500, "Error")
    found = parsed(await sandbox.kinguin.get("/v1/order?orderExternalId=r-1"))
    assert found["item_count"] == 1
    assert await sandbox.balance() == 100_000 - product["price"]


async def test_an_opaque_422_bought_nothing(sandbox: Sandbox) -> None:
    answer = await sandbox.buy(await sandbox.product(mode="order_failed"))
    assert (answer.status_code, parsed(answer)["kind"]) == (422, "OrderFailed")
    assert await sandbox.balance() == 100_000


async def test_a_change_of_price_is_told_and_holds(sandbox: Sandbox, shop: Shop) -> None:
    before = await sandbox.product()
    after = await sandbox.product(price="99.95")
    assert after["price"] == Decimal("99.95")
    assert (await shop.hears(1))[0].headers["x-event-name"] == "product.update"
    assert parsed(await sandbox.buy(before))["kind"] == "ProductUnavailable"
    assert (await sandbox.buy(after)).status_code == 201


async def test_the_wrong_key_opens_nothing(sandbox: Sandbox) -> None:
    answer = await sandbox.kinguin.get("/v1/balance", headers={"X-Api-Key": "another"})
    assert answer.status_code == 401
    assert parsed(answer)["kind"] == "Authorization"


async def test_the_control_api_shows_serials_only_when_asked(sandbox: Sandbox) -> None:
    order_id = await bought(sandbox, await sandbox.product())
    serial = (await sandbox.keys(order_id))[0]["serial"]
    order = parsed(await sandbox.control.get("/orders"))[0]
    assert (order["orderId"], order["orderExternalId"], order["charged"]) == (order_id, "r-1", "12.49")
    assert (order["status"], order["keysDelivered"]) == ("completed", 1)
    assert serial not in (await sandbox.control.get("/orders")).text
    assert serial in (await sandbox.control.get("/orders?keys=1")).text
