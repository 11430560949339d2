"""The supplier's webhooks are hints: each leads to a question at most, and what it claims is never believed."""

import json
from typing import Any
from uuid import UUID

import pytest

from app.core import db
from app.core.ids import new_id
from app.fulfillment import notices
from app.inbox import service as inbox
from app.providers.kinguin import Kinguin
from app.suppliers.kinguin import KinguinSupplier
from app.suppliers.port import Suppliers
from tests.builders import NOW, buy, check, collect, count, delivered, job_names, order, paid, rows, supplier_product

SUPPLIERS = Suppliers([KinguinSupplier(Kinguin("https://supplier.example/esa/api", "key"))])
LOG = ["inbound_webhook", "job"]


async def hint(said: Any) -> str:
    """Keep a notice of the supplier and heed it; returns the words in its log."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    name = str(new_id())
    await inbox.keep("kinguin", name, {}, body, job="fulfillment.apply_notice")
    notice_id = await db.fetch_value("SELECT id FROM inbound_webhook WHERE dedupe = $1", name)
    await notices.apply(notice_id, suppliers=SUPPLIERS, commit=NOW)
    return str(await db.fetch_value("SELECT outcome FROM inbound_webhook WHERE id = $1", notice_id))


async def waiting(app: Any, box: Any) -> tuple[UUID, dict[str, Any]]:
    """An order whose reservation the supplier has not delivered; no check is pending."""
    order_id, (item,) = await paid(app.state.kit, box)
    await box.set_product(await supplier_product(item), mode="by_hand")
    found = await buy(app.state.kit, item)
    await db.fetch("DELETE FROM job")
    return order_id, found


async def test_news_of_an_order_of_ours_leads_to_one_question(app, box) -> None:
    _, found = await waiting(app, box)
    before = await rows(but=LOG)
    for _ in range(3):
        assert await hint({"orderId": found["supplier_order_id"], "status": "completed"}) == "checked with the supplier"
    assert (await job_names()).count("fulfillment.check") == 1
    assert await rows(but=LOG) == before


@pytest.mark.parametrize("claim", ["completed", "canceled", "refunded"])
async def test_what_a_hint_claims_is_not_believed(app, drain, box, claim: str) -> None:
    order_id, found = await waiting(app, box)
    await hint({"orderId": found["supplier_order_id"], "status": claim})
    await drain(only="fulfillment.check")
    assert (await order(order_id)).fulfillment_status == "processing"
    assert await count("sealed_key") == 0
    assert await count("reservation", "status = 'reserved'") == 1


async def test_a_true_hint_brings_the_keys_without_waiting_for_the_sweep(app, drain, box) -> None:
    order_id, found = await waiting(app, box)
    await box.act(found["supplier_order_id"], "deliver")
    await hint({"orderId": found["supplier_order_id"], "status": "completed"})
    await drain()
    assert (await order(order_id)).status == "fulfilled"


NAMES_NOTHING = [
    b"",
    b"{",
    b"[]",
    b"null",
    {},
    {"orderId": 7},
    {"orderId": None, "productId": ["x"]},
    b'{"orderId":NaN}',
]


async def test_what_names_nothing_is_logged_and_ignored(app) -> None:
    before = await rows(but=LOG)
    assert {await hint(said) for said in NAMES_NOTHING} == {"ignored: names no order and no product"}
    assert await rows(but=LOG) == before
    assert set(await job_names()) == {"fulfillment.apply_notice"}


async def test_an_order_that_is_not_ours_is_ignored(app, box) -> None:
    await waiting(app, box)
    for name in ("NOSUCHORDER", "", "' OR 1=1 --", "x" * 10_000):
        assert await hint({"orderId": name, "status": "completed"}) == "ignored: no order of ours"
    assert "fulfillment.check" not in await job_names()


async def test_late_news_of_a_finished_order_is_ignored(app, box) -> None:
    order_id, (item,) = await delivered(app.state.kit, box)
    found = await db.fetch_one("SELECT * FROM reservation WHERE item_id = $1", item.id)
    assert found is not None
    before = await rows(but=LOG)
    said = await hint({"orderId": found["supplier_order_id"], "status": "canceled"})
    assert said == "ignored: the reservation is already delivered"
    await check(app.state.kit, found)
    await collect(app.state.kit, found)
    assert await rows(but=LOG) == before
    assert (await order(order_id)).status == "fulfilled"


async def test_a_flood_of_news_about_one_product_leads_to_one_look(app) -> None:
    for number in range(20):
        assert await hint({"productId": "a" * 24, "qty": number}) == "product looked up again"
    await hint({"productId": "b" * 24})
    assert (await job_names()).count("catalog.refresh") == 2


async def test_news_of_a_product_brings_its_new_stock(app, drain, box) -> None:
    _, (item,) = await paid(app.state.kit, box)
    product_id = await supplier_product(item)
    await box.set_product(product_id, stock=4)
    await hint({"productId": product_id})
    await drain(only="catalog.refresh")
    assert await db.fetch_value("SELECT stock FROM product WHERE supplier_product_id = $1", product_id) == 4


async def test_news_that_all_is_there_asks_nothing_when_that_is_known_but_an_ending_does(app, box) -> None:
    order_id, found = await waiting(app, box)
    await box.act(found["supplier_order_id"], "deliver")
    await check(app.state.kit, found)
    await db.fetch("DELETE FROM job WHERE name = 'fulfillment.check'")
    said = {"orderId": found["supplier_order_id"], "status": "completed"}
    assert await hint(said) == "ignored: its keys are being fetched already"
    assert "fulfillment.check" not in await job_names()
    assert await hint(said | {"status": "refunded"}) == "checked with the supplier"
    assert (await job_names()).count("fulfillment.check") == 1
    assert (await order(order_id)).status == "paid"
