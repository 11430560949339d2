"""Placing an order: priced from our own tables, within the limits, all of it stored or nothing."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest

from app.catalog import service as catalog
from app.catalog.service import UnknownDiscount
from app.core import clock, db
from app.core.ids import new_id
from app.core.money import Money
from app.orders import queries
from app.orders import service as orders
from app.orders.service import BadItems, OutOfStock, Wanted
from tests.builders import COIN, EMAIL, count, events, job_names, order, place, products, rows


async def refused(error: type[Exception], wanted: list[Wanted], code: str | None = None) -> str:
    """Ordering this is refused and leaves nothing; returns what is said."""
    before = await rows()
    with pytest.raises(error) as why:
        await orders.place(EMAIL, await orders.quote(wanted, code))
    assert await rows() == before
    return str(why.value)


async def wanted(*quantities: int) -> list[Wanted]:
    return [Wanted(p["id"], n) for p, n in zip(await products(len(quantities)), quantities, strict=True)]


async def test_an_order_is_stored_with_its_items_its_event_its_job_and_its_letter(app) -> None:
    first, second = await products(2)
    order_id = await place(1, 3)
    found = await order(order_id)
    assert (found.email, found.status, found.fulfillment_status) == (EMAIL, "created", "pending")
    assert found.pay_currency == COIN
    assert [(i.product_id, i.quantity, i.unit_price, i.name, i.status) for i in found.items] == [
        (first["id"], 1, first["price"], first["name"], "pending"),
        (second["id"], 3, second["price"], second["name"], "pending"),
    ]
    assert await events(order_id) == ["order.created"]
    assert await job_names() == ["mail.send", "payments.create"]
    assert await count("mail", "kind = 'order_received'") == 1


async def test_the_total_is_ours(app) -> None:
    first, second = await products(2)
    found = await order(await place(2, 3))
    assert found.total == found.subtotal == first["price"] * 2 + second["price"] * 3
    assert found.currency == "USD"


async def test_a_placed_order_names_its_payment_job(app) -> None:
    placed = await orders.place(EMAIL, await orders.quote(await wanted(1)))
    job = await db.fetch_one("SELECT name, args, subject FROM job WHERE id = $1", placed.job_id)
    assert job is not None
    assert (job["name"], json.loads(job["args"])) == ("payments.create", {"order_id": str(placed.order_id)})
    assert job["subject"] == placed.order_id


async def test_a_later_price_does_not_change_what_was_ordered(app) -> None:
    (product,) = await products()
    order_id = await place()
    before = await order(order_id)
    await db.fetch("UPDATE product SET price = 999, updated_at = $2 WHERE id = $1", product["id"], clock.now())
    assert await order(order_id) == before


async def test_a_quantity_out_of_bounds_is_refused(app) -> None:
    (product,) = await products()
    for quantity in (0, -1, 10, 10**9, -(10**30), 10**30):
        await refused(BadItems, [Wanted(product["id"], quantity)])


async def test_nine_of_one_and_ten_different_ones_are_the_most(app) -> None:
    ten, one_more = (await wanted(*[1] * 11))[:10], (await wanted(*[1] * 11))[10]
    await orders.place(EMAIL, await orders.quote(ten))
    await orders.place(EMAIL, await orders.quote(await wanted(9)))
    assert await count("order_item") == 11
    await refused(BadItems, [*ten, one_more])


async def test_nothing_twice_and_nothing_unknown_can_be_ordered(app) -> None:
    (line,) = await wanted(1)
    await refused(BadItems, [])
    await refused(BadItems, [line, line])
    await refused(BadItems, [Wanted(new_id(), 1)])
    await refused(BadItems, [line, Wanted(new_id(), 1)])


async def test_a_product_that_is_not_sold_any_more_is_refused(app) -> None:
    (line,) = await wanted(1)
    await db.fetch("UPDATE product SET active = false, updated_at = $2 WHERE id = $1", line.product_id, clock.now())
    await refused(BadItems, [line])


async def test_more_than_there_is_in_stock_is_refused_and_what_is_left_is_said(app) -> None:
    (line,) = await wanted(3)
    await db.fetch("UPDATE product SET stock = 2, updated_at = $2 WHERE id = $1", line.product_id, clock.now())
    assert "Only 2 left" in await refused(OutOfStock, [line])
    await db.fetch("UPDATE product SET stock = 0 WHERE id = $1", line.product_id)
    assert "Sold out" in await refused(OutOfStock, [line])


async def test_a_discount_is_taken_off_and_counted_once(app) -> None:
    await catalog.create_discount("TEN", Decimal(10))
    found = await order(await place(2, code=" ten "))
    assert found.discount == Money(found.subtotal, "USD").percent(Decimal(10)).amount
    assert (found.total, found.discount_code) == (found.subtotal - found.discount, "TEN")
    assert await count("discount", "used = 1") == 1


async def test_an_unknown_discount_refuses_the_order(app) -> None:
    await refused(UnknownDiscount, await wanted(1), "NOSUCH")


async def test_a_discount_used_up_between_look_and_order_refuses_the_order(app) -> None:
    await catalog.create_discount("LAST", Decimal(10), max_uses=1)
    price = await orders.quote(await wanted(1), "LAST")
    await orders.place(EMAIL, price)
    before = await rows()
    with pytest.raises(UnknownDiscount):
        await orders.place(EMAIL, price)
    assert await rows() == before


async def test_of_twenty_orders_at_once_with_the_last_five_uses_five_are_placed(app) -> None:
    await catalog.create_discount("FIVE", Decimal(50), max_uses=5)
    price = await orders.quote(await wanted(1), "FIVE")
    ended: list[Any] = await asyncio.gather(*(orders.place(EMAIL, price) for _ in range(20)), return_exceptions=True)
    assert sum(isinstance(e, UnknownDiscount) for e in ended) == 15
    assert (await count("customer_order"), await count("event"), await count("mail")) == (5, 5, 5)


async def test_orders_of_an_address_and_those_held_by_token_are_listed_the_newest_first(app) -> None:
    first, second = await place(), await place(2)
    stranger = (await orders.place("other@resend.dev", await orders.quote(await wanted(1)))).order_id
    assert [o.id for o in await queries.history(email=EMAIL, ids=[])] == [second, first]
    assert [o.id for o in await queries.history(email=None, ids=[first, new_id()])] == [first]
    assert [o.id for o in await queries.history(email=EMAIL, ids=[stranger])] == [stranger, second, first]
    assert await queries.history(email=None, ids=[]) == []


async def test_an_order_has_a_short_name_of_the_random_part_of_its_id() -> None:
    names = {orders.short(new_id()) for _ in range(1000)}
    assert len(names) == 1000
    assert {len(n) for n in names} == {8}
