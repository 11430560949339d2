"""Buying at the supplier: looked for first, asked for once, never above the limit, whatever answer gets lost."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from app.catalog import service as catalog
from app.catalog.pricing import most_we_pay
from app.core import clock, db
from app.fulfillment import failure_reasons, steps
from app.fulfillment.steps import SEARCH_LAG, TooEarly
from app.orders import queries as order_rows
from app.orders.models import OrderItem
from app.queue.service import Lease
from app.suppliers.errors import InsufficientBalance
from app.suppliers.registry import open_suppliers
from tests.builders import (
    NOW,
    Undone,
    buy,
    count,
    events,
    job_names,
    order,
    paid,
    place,
    reservation,
    rows,
    supplier_product,
    torn,
)

RESERVE = "fulfillment.reserve"


RATE = Decimal("1.10")  # dollars for a euro, as the sandbox has it


async def charged(box: Any) -> list[Decimal]:
    """What the supplier took for each order in its books."""
    return [Decimal(o["charged"]) for o in await box.orders()]


async def given_up(order_id: Any, item: OrderItem, cause: str) -> None:
    """The item waits for a person: nothing was bought, and the order says why."""
    found = await order(order_id)
    assert (found.status, found.fulfillment_status, found.reasons) == ("paid", "failed", [cause])
    assert found.items[0].status == "failed"
    assert (await reservation(item))["status"] == "out_of_stock"
    assert (await events(order_id))[-1] == "supply.failed"
    assert [o.order_id for o in await order_rows.needing()] == [order_id]


async def test_an_item_is_bought_once_under_our_own_id_and_charged_once(app, box) -> None:
    order_id, (item,) = await paid(app.state.kit, box, 2)
    found = await buy(app.state.kit, item)
    (bought,) = await box.orders()
    assert bought["orderExternalId"] == str(found["id"])
    assert [(p["productId"], p["qty"], p["keyType"]) for p in bought["products"]] == [
        (await supplier_product(item), 2, "text")
    ]
    assert (found["status"], found["supplier_order_id"]) == ("reserved", bought["orderId"])
    assert [found["charged"]] == await charged(box)
    assert (await events(order_id))[-1] == "supply.reserved"
    assert (await job_names()).count("fulfillment.check") == 1


async def test_reserving_again_changes_nothing_and_buys_nothing(app, box) -> None:
    _, (item,) = await paid(app.state.kit, box)
    await buy(app.state.kit, item)
    before = await rows()
    for _ in range(3):
        await buy(app.state.kit, item)
    assert await rows() == before
    assert len(await box.orders()) == 1


async def test_an_order_that_exists_at_the_supplier_is_adopted_not_bought_again(app, box) -> None:
    """The process died after buying: the supplier has our order, our books do not."""
    _, (item,) = await paid(app.state.kit, box)
    with pytest.raises(Undone):
        await steps.reserve(item.id, suppliers=open_suppliers(app.state.kit), commit=torn)
    assert (await reservation(item))["status"] == "requested"
    found = await buy(app.state.kit, item)
    assert [found["supplier_order_id"]] == [o["orderId"] for o in await box.orders()]
    assert found["charged"] == (await charged(box))[0]


LOST = [("error500_after_effect", {}), ("timeout_after_effect", {"seconds": 0}), ("html_garbage", {}), ("error500", {})]


@pytest.mark.parametrize(("mode", "more"), LOST)
async def test_whatever_answer_is_lost_it_is_bought_once(app, drain, box, mode: str, more: dict[str, int]) -> None:
    _, (item,) = await paid(app.state.kit, box)
    await box.settings(duplicateMode="accept")
    await box.fault("kinguin", mode, count=1, path="/v2/order", **more)
    await drain(only=RESERVE, later=True)
    assert len(await charged(box)) == 1
    assert (await reservation(item))["status"] == "reserved"


async def test_an_order_taken_with_an_unexplained_500_is_found_and_kept(app, drain, box) -> None:
    _, (item,) = await paid(app.state.kit, box)
    await box.set_product(await supplier_product(item), mode="error_after_effect")
    assert await drain(only=RESERVE, later=True) == 2
    assert len(await charged(box)) == 1
    assert (await reservation(item))["status"] == "reserved"


async def test_while_the_search_may_lag_nothing_is_bought_again(app, drain, box) -> None:
    _, (item,) = await paid(app.state.kit, box)
    await box.settings(duplicateMode="accept", searchLag=3600)
    await box.fault("kinguin", "error500_after_effect", count=1, path="/v2/order")
    await drain(only=RESERVE)
    with pytest.raises(TooEarly) as early:
        await buy(app.state.kit, item)
    assert clock.timedelta(0) < early.value.retry_in <= SEARCH_LAG
    assert len(await charged(box)) == 1


async def test_a_lag_longer_than_our_wait_is_caught_by_the_suppliers_own_guard(app, drain, box) -> None:
    _, (item,) = await paid(app.state.kit, box)
    await box.settings(duplicateMode="refuse", searchLag=3600)
    await box.fault("kinguin", "error500_after_effect", count=1, path="/v2/order")
    await drain(only=RESERVE, later=True)
    assert len(await charged(box)) == 1
    assert await job_names("failed") == [RESERVE]
    assert (await reservation(item))["status"] == "requested"


async def test_six_at_once_buy_once(app, box) -> None:
    _, (item,) = await paid(app.state.kit, box)
    await box.settings(duplicateMode="accept")
    await asyncio.gather(*(buy(app.state.kit, item) for _ in range(6)), return_exceptions=True)
    assert len(await charged(box)) == 1
    assert await count("reservation") == 1


async def test_an_opaque_refusal_is_looked_into_and_tried_again(app, drain, box) -> None:
    _, (item,) = await paid(app.state.kit, box)
    await box.fault("kinguin", "order_failed", count=1)
    await drain(only=RESERVE)
    assert (await reservation(item))["status"] == "requested"
    assert await drain(only=RESERVE, later=True) == 1
    assert (await reservation(item))["status"] == "reserved"
    assert len(await charged(box)) == 1


async def test_an_opaque_refusal_without_end_becomes_a_dead_letter_and_buys_nothing(app, drain, box) -> None:
    _, (item,) = await paid(app.state.kit, box)
    await box.set_product(await supplier_product(item), mode="order_failed")
    assert await drain(only=RESERVE, later=True) == 12
    assert await job_names("failed") == [RESERVE]
    assert await charged(box) == []


async def test_a_refusal_and_then_a_withdrawn_product_end_the_item(app, drain, box) -> None:
    order_id, (item,) = await paid(app.state.kit, box)
    await box.set_product(await supplier_product(item), mode="order_failed")
    await drain(only=RESERVE)
    await box.set_product(await supplier_product(item), mode="unavailable")
    await drain(only=RESERVE, later=True)
    await given_up(order_id, item, failure_reasons.SOLD_OUT)
    assert await charged(box) == []


GONE = [
    ({"stock": 0}, failure_reasons.SOLD_OUT),
    ({"stock": 1}, failure_reasons.SOLD_OUT),
    ({"mode": "unavailable"}, failure_reasons.SOLD_OUT),
    ({"price": "999"}, failure_reasons.TOO_DEAR),
]


@pytest.mark.parametrize(("change", "cause"), GONE)
async def test_what_is_sold_out_or_too_dear_puts_the_order_before_a_person(app, drain, box, change, cause) -> None:
    order_id, (item,) = await paid(app.state.kit, box, 2)
    await box.set_product(await supplier_product(item), **change)
    assert await drain(only=RESERVE, later=True) == 1
    await given_up(order_id, item, cause)
    assert await charged(box) == []


async def test_the_limit_keeps_the_margin_of_what_was_paid_also_after_a_discount(app, box) -> None:
    await catalog.create_discount("HALF", Decimal(50))
    order_id, (item,) = await paid(app.state.kit, box, 2, code="HALF")
    with pytest.raises(Exception):  # noqa: B017 - whatever ends it, the limit is what counts here
        await steps.reserve(item.id, suppliers=open_suppliers(app.state.kit), commit=torn)
    found, total = await reservation(item), (await order(order_id)).total
    assert found["price_limit"] == most_we_pay(total / 2, RATE)
    assert found["price_limit"] < most_we_pay(item.unit_price, RATE)


async def test_a_price_at_the_limit_is_paid_and_a_cent_more_is_not(app, box) -> None:
    kit = app.state.kit
    for extra, status in ((Decimal(0), "reserved"), (Decimal("0.01"), "out_of_stock")):
        _, (item,) = await paid(kit, box)
        limit = most_we_pay(item.unit_price, RATE)
        await box.set_product(await supplier_product(item), price=str(limit + extra))
        assert (await buy(kit, item))["status"] == status
    assert await charged(box) == [limit]


async def test_an_empty_balance_waits_and_the_order_completes_after_a_top_up(app, drain, box) -> None:
    order_id, _ = await paid(app.state.kit, box)
    await box.settings(balance=0)
    assert await drain(only=RESERVE) == 1
    (job,) = await db.fetch("SELECT status, error FROM job WHERE name = $1", RESERVE)
    assert (job["status"], InsufficientBalance.__name__ in job["error"]) == ("pending", True)
    assert (await order(order_id)).reasons == [failure_reasons.UNFUNDED]
    await box.settings(balance=500)
    await drain(later=True)
    assert ((await order(order_id)).status, (await order(order_id)).reasons) == ("fulfilled", [])
    assert len(await charged(box)) == 1


@pytest.mark.parametrize("status", ["created", "waiting", "underpaid", "expired", "failed", "refunded", "cancelled"])
async def test_nothing_is_bought_for_an_order_that_is_not_paid(app, box, status: str) -> None:
    order_id = await place()
    await db.fetch("UPDATE customer_order SET status = $2 WHERE id = $1", order_id, status)
    (item,) = (await order(order_id)).items
    before = await rows()
    await steps.reserve(item.id, suppliers=open_suppliers(app.state.kit), commit=NOW)
    assert await rows() == before
    assert await box.orders() == []


async def test_a_worker_that_lost_its_lease_leaves_the_supplier_with_one_order(app, drain, box) -> None:
    """It bought and then stood still past its lease; whoever takes the job over finds that order."""
    _, (item,) = await paid(app.state.kit, box)
    lost = Lease(item.id, RESERVE, {}, None, 1, 1)
    with pytest.raises(Exception, match=RESERVE):
        await steps.reserve(item.id, suppliers=open_suppliers(app.state.kit), commit=lost.commit)
    assert (await reservation(item))["status"] == "requested"
    await drain(only=RESERVE)
    assert (await reservation(item))["status"] == "reserved"
    assert len(await charged(box)) == 1
