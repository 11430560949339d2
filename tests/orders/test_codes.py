"""A limited code is used by orders that came to something; the others give it back, once."""

import asyncio
from decimal import Decimal
from uuid import UUID

import pytest

from app.catalog import credits
from app.catalog import service as catalog
from app.catalog.service import UnknownDiscount
from app.core import db
from app.core.money import Money
from app.orders import service as orders
from app.orders.service import Wanted
from tests.builders import COIN, EMAIL, place, products, settle


async def used(code: str = "LAST") -> int:
    return int(await db.fetch_value("SELECT used FROM discount WHERE code = $1", code))


async def buy(code: str = "LAST") -> UUID:
    (product,) = await products()
    price = await orders.quote([Wanted(product["id"], 1)], code, email=EMAIL)
    return (await orders.place(EMAIL, price, pay_currency=COIN)).order_id


async def expire(order_id: UUID) -> None:
    await db.fetch("UPDATE customer_order SET status = 'waiting' WHERE id = $1", order_id)
    async with db.transaction():
        await orders.expire(order_id)


async def fail(order_id: UUID) -> None:
    await db.fetch("UPDATE customer_order SET status = 'waiting' WHERE id = $1", order_id)
    async with db.transaction():
        await orders.payment_failed(order_id)


@pytest.mark.parametrize("end", [orders.cancel, expire, fail], ids=["cancelled", "expired", "payment failed"])
async def test_an_order_that_came_to_nothing_gives_its_limited_code_back(app, end) -> None:
    await catalog.create_discount("LAST", Decimal(10), max_uses=1)
    first = await buy()
    with pytest.raises(UnknownDiscount):
        await buy()
    await end(first)
    assert await used() == 0
    await buy()
    assert await used() == 1
    with pytest.raises(UnknownDiscount):
        await buy()


async def test_a_hundred_orders_that_nobody_pays_do_not_burn_a_code(app) -> None:
    await catalog.create_discount("LAST", Decimal(10), max_uses=3)
    for _ in range(10):
        for order_id in [await buy() for _ in range(3)]:
            await orders.cancel(order_id)
    assert await used() == 0


async def test_a_code_comes_back_once_however_the_order_goes_on(app) -> None:
    await catalog.create_discount("LAST", Decimal(10), max_uses=5)
    kept, gone = await buy(), await buy()
    await expire(gone)
    async with db.transaction():
        await orders.refunded(gone)  # late money, sent back in full
    assert await used() == 1
    assert await db.fetch_value("SELECT released_at FROM code_use WHERE order_id = $1", kept) is None


async def test_credit_comes_back_once_when_an_expired_orders_late_money_is_refunded(app) -> None:
    code = await credits.give(await place(), EMAIL, Money(Decimal(3), "USD"))
    order_id = await buy(code)
    assert await db.fetch_value("SELECT amount FROM credit WHERE code = $1", code) == 0
    await expire(order_id)
    async with db.transaction():
        await orders.refunded(order_id)
    assert await db.fetch_value("SELECT amount FROM credit WHERE code = $1", code) == 3


async def test_an_order_paid_late_uses_its_code_after_all(app) -> None:
    await catalog.create_discount("LAST", Decimal(10), max_uses=1)
    order_id = await buy()
    await expire(order_id)
    assert await used() == 0
    assert await settle(order_id)
    assert await used() == 1
    with pytest.raises(UnknownDiscount):
        await buy()


async def test_cancelled_many_times_at_once_a_code_comes_back_once(app) -> None:
    await catalog.create_discount("LAST", Decimal(10), max_uses=5)
    _, order_id = await buy(), await buy()
    await asyncio.gather(*(orders.cancel(order_id) for _ in range(8)), return_exceptions=True)
    assert await used() == 1
