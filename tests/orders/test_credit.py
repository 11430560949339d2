"""Credit of an earlier order pays for a later one: for its own email, never twice, and back if nothing came of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.catalog import credits
from app.catalog.service import UnknownDiscount
from app.core import db
from app.core.money import Money
from app.core.settings import settings
from app.ledger import service as ledger
from app.orders import service as orders
from app.orders.service import Wanted
from tests.builders import COIN, EMAIL, ask, count, events, job_names, look, order, place, products, rows, settle


def usd(amount: Any) -> Money:
    return Money(Decimal(amount), "USD")


async def given(amount: Any) -> str:
    """A credit of this much, out of an earlier order of the usual customer."""
    return await credits.give(await place(), EMAIL, usd(amount))


async def left(code: str) -> Decimal:
    return Decimal(await db.fetch_value("SELECT amount FROM credit WHERE code = $1", code))


async def buy(code: str, quantity: int = 1, email: str = EMAIL) -> UUID:
    (product,) = await products()
    price = await orders.quote([Wanted(product["id"], quantity)], code, email=email)
    return (await orders.place(email, price, pay_currency=COIN)).order_id


async def test_a_credit_pays_its_part_and_what_is_left_stays_usable(app) -> None:
    (product,) = await products()
    code = await given(product["price"] + 7)
    first = await order(await buy(f" {code.lower()} "))
    assert (first.discount, first.total, first.discount_code) == (product["price"], 0, code)
    assert await left(code) == 7
    second = await order(await buy(code))
    assert (second.discount, second.total, await left(code)) == (7, product["price"] - 7, 0)
    with pytest.raises(UnknownDiscount):
        await buy(code)


async def test_an_order_that_credit_covers_is_bought_without_a_payment(app, drain, box) -> None:
    order_id = await buy(await given(1000))
    await drain()
    assert (await order(order_id)).status == "fulfilled"
    assert [p for p in await box.payments() if p["order_id"] == str(order_id)] == []
    assert await events(order_id) == [
        "order.created", "order.covered", "order.paid", "supply.reserved", "supply.ready", "key.sealed",
        "order.fulfilled",
    ]  # fmt: skip
    assert await ledger.prove() == []


async def test_a_credit_serves_its_own_email_alone(app) -> None:
    code = await given(5)
    before = await rows()
    for email in ("somebody@else.test", ""):
        with pytest.raises(UnknownDiscount):
            await buy(code, email=email)
    with pytest.raises(UnknownDiscount):
        await buy("CR-NOSUCHCODE\x00" + "X" * 500)
    assert await rows() == before
    assert (await order(await buy(code, email=EMAIL))).discount == 5


async def test_a_credit_is_spent_once_by_ten_orders_at_once(app) -> None:
    (product,) = await products()
    code = await given(product["price"])
    price = await orders.quote([Wanted(product["id"], 1)], code, email=EMAIL)
    placed = await count("customer_order")
    ended: list[Any] = await asyncio.gather(
        *(orders.place(EMAIL, price, pay_currency=COIN) for _ in range(10)), return_exceptions=True
    )
    assert sum(isinstance(e, UnknownDiscount) for e in ended) == 9
    assert (await left(code), await count("customer_order")) == (0, placed + 1)


@pytest.mark.parametrize("end", [orders.expire, orders.cancel, orders.payment_failed])
async def test_what_an_order_took_comes_back_once_when_it_ends_unpaid(app, end: Any) -> None:
    code = await given(5)
    order_id = await buy(code)
    await orders.await_payment(order_id)
    assert await left(code) == 0
    await end(order_id)
    assert await left(code) == 5
    await asyncio.gather(*(end(order_id) for _ in range(3)), return_exceptions=True)
    assert await left(code) == 5


async def test_late_money_takes_the_credit_again_and_without_it_the_customer_is_asked(app, box) -> None:
    code, kit = await given(5), app.state.kit
    for spent_elsewhere in (False, True):
        order_id = await buy(code)
        payment = await ask(kit, order_id)
        for case in ("expired", "late"):
            if case == "late" and spent_elsewhere:
                await db.fetch("UPDATE credit SET amount = 1")
            await box.pay(payment.provider_payment_id, case)
            await look(kit, payment)
        status = (await order(order_id)).status
        assert (status, await left(code)) == (("expired", 1) if spent_elsewhere else ("paid", 0))
        await db.fetch("UPDATE credit SET amount = 5")
    assert (await job_names()).count("fulfillment.reserve") == 1


async def test_a_credit_that_late_money_counts_on_can_not_be_spent_meanwhile(app) -> None:
    code = await given(5)
    async with db.transaction():
        assert await credits.covers(code, Decimal(5))
        async with asyncpg_apart() as other:
            with pytest.raises(asyncpg.LockNotAvailableError):
                await other.execute("SELECT FROM credit WHERE code = $1 FOR UPDATE NOWAIT", code)
    async with asyncpg_apart() as other:
        await other.execute("SELECT FROM credit WHERE code = $1 FOR UPDATE NOWAIT", code)


@asynccontextmanager
async def asyncpg_apart() -> AsyncIterator[asyncpg.Connection]:
    """A connection of somebody else's."""
    connection = await asyncpg.connect(settings().database_url.get_secret_value())
    try:
        yield connection
    finally:
        await connection.close()


async def test_an_order_whose_credit_is_gone_is_not_bought(app) -> None:
    code = await given(5)
    order_id = await buy(code)
    await orders.await_payment(order_id)
    await orders.expire(order_id)
    await db.fetch("UPDATE credit SET amount = 4.99")
    before = await rows()
    with pytest.raises(orders.OrderClosed):
        await settle(order_id)
    assert await rows() == before


async def expired(code: str) -> UUID:
    order_id = await buy(code)
    await orders.await_payment(order_id)
    await orders.expire(order_id)
    return order_id


@pytest.mark.parametrize("there", [0, 5])
async def test_a_late_order_at_todays_price_takes_the_credit_that_this_price_counts_on(app, there: int) -> None:
    code = await given(5)
    order_id = await expired(code)
    await db.fetch("UPDATE credit SET amount = 0")  # spent elsewhere
    async with db.transaction():
        await orders.reprice(order_id)
    assert (await order(order_id)).discount == 0
    await db.fetch("UPDATE credit SET amount = $1", there)
    assert await settle(order_id)
    assert ((await order(order_id)).status, await left(code)) == ("paid", there)
    async with db.transaction():
        await orders.refunded(order_id)
    assert await left(code) == there


async def test_a_late_order_whose_email_was_changed_takes_its_credit_again(app) -> None:
    code = await given(5)
    order_id = await expired(code)
    await db.fetch("UPDATE customer_order SET email = 'new@else.test' WHERE id = $1", order_id)
    assert await settle(order_id)
    assert ((await order(order_id)).status, await left(code)) == ("paid", 0)


async def test_an_order_gives_one_credit_to_which_later_money_is_added(app) -> None:
    order_id = await place()
    codes = {await credits.give(order_id, EMAIL, usd(5)) for _ in range(3)}
    assert (len(codes), await count("credit")) == (1, 1)
    assert await db.fetch_value("SELECT amount FROM credit") == 15
    (code,) = codes
    assert code.startswith(credits.PREFIX)
    assert len(code) == len(credits.PREFIX) + credits.LENGTH
