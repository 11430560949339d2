"""The unit of work of a transaction about an order: one lock, one word to its merchant, and nothing without it."""

import asyncio
import re
from contextlib import suppress
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.core import db
from app.core.ids import new_id
from app.core.money import Money
from app.core.settings import settings
from app.fulfillment import withdrawal
from app.history import service as history
from app.keys import reveal as keys
from app.ledger import service as ledger
from app.ledger import uses
from app.ledger.states import UseKind
from app.orders import queries
from app.orders import service as orders
from app.orders.service import OrderNotHeld, Owner
from app.payments import customer_choice
from app.refunds import create_for_merchants, service
from tests.builders import (
    VISITOR,
    Undone,
    buy,
    check,
    collect,
    delivered,
    events,
    ipn,
    job_names,
    offered,
    paid,
    place,
    report,
    rows,
    sent_notices,
    supplier_product,
    tell,
    undone,
)
from tests.orders.merchants import asked, charged, completed, merchant
from tests.refunds.builders import ADMIN, booked, underpaid
from tests.statements import Work, transactions_of

LOCK = re.compile(r"FROM customer_order\b.*\bFOR UPDATE", re.DOTALL)


@pytest.fixture
def kit(app):
    return app.state.kit


async def locks_of(work: Work) -> list[int]:
    """How often each transaction that locks an order meanwhile does so."""
    counted = [sum(bool(LOCK.search(one)) for one in asked) for asked in await transactions_of(work)]
    return [number for number in counted if number]


async def locks(connection: asyncpg.Connection, order_id: UUID) -> bool:
    """Whether somebody else could lock the order now."""
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM customer_order WHERE id = $1 FOR UPDATE NOWAIT", order_id)
    except asyncpg.LockNotAvailableError:
        return False
    return True


@pytest.fixture
async def other(app):
    """A connection of somebody else's."""
    connection = await asyncpg.connect(settings().database_url.get_secret_value())
    yield connection
    await connection.close()


async def test_the_order_is_locked_to_the_end_of_the_transaction_and_not_only_of_the_block(other) -> None:
    order_id = await place()
    async with db.transaction():
        async with orders.changing(order_id) as order:
            assert order is not None
            assert order.id == order_id
            assert not await locks(other, order_id)
        assert not await locks(other, order_id)
    assert await locks(other, order_id)


async def test_an_unknown_order_is_none_and_nothing_is_held(app) -> None:
    unknown = new_id()
    async with orders.changing(unknown) as order:
        assert order is None
        with pytest.raises(OrderNotHeld):
            orders.held(unknown)


async def test_anybody_elses_order_is_none_and_stays_unlocked(other) -> None:
    whose = await merchant()
    placed = await charged(whose)
    for owner in (Owner(await merchant(), True), Owner(whose, False)):
        async with orders.changing(placed.id, owner=owner) as order:
            assert order is None
            assert await locks(other, placed.id)
        async with orders.changing(placed.id), orders.changing(placed.id, owner=owner) as order:
            assert order is None
    async with orders.changing(placed.id, owner=Owner(whose, True)) as order:
        assert order == placed
        assert not await locks(other, placed.id)


async def test_a_block_inside_another_locks_nothing_more_and_sees_what_has_changed(app) -> None:
    order_id = await place()

    async def work() -> None:
        async with orders.changing(order_id) as before:
            await orders.await_payment(order_id)
            async with orders.changing(order_id) as now:
                assert (before.status, now.status) == ("created", "waiting")
            assert (await orders.reread(order_id)).status == "waiting"
            assert orders.held(order_id) == before

    assert await locks_of(work) == [1]


async def test_two_orders_of_one_transaction_are_held_each_for_its_block(app) -> None:
    first, second = await place(), await place()
    async with orders.changing(first), orders.changing(second):
        assert (orders.held(first).id, orders.held(second).id) == (first, second)
    async with orders.changing(first):
        with pytest.raises(OrderNotHeld):
            orders.held(second)


async def test_whoever_waits_for_the_lock_sees_what_the_other_wrote(app) -> None:
    order_id, ready = await place(), asyncio.Event()

    async def first() -> None:
        async with orders.changing(order_id):
            ready.set()
            await orders.await_payment(order_id)

    async def second() -> str:
        await ready.wait()
        async with orders.changing(order_id) as order:
            return order.status

    assert (await asyncio.gather(first(), second()))[1] == "waiting"


async def test_a_merchant_is_told_once_of_all_that_happened_in_the_block(app) -> None:
    placed = await charged(await merchant())
    async with db.transaction():
        async with orders.changing(placed.id):
            await history.record(placed.id, "order.waiting")
            async with orders.changing(placed.id):
                await history.record(placed.id, "order.confirming")
            assert await job_names() == []
        assert await job_names() == ["webhooks.publish"]
    assert await job_names() == ["webhooks.publish"]


async def test_nobody_is_told_of_what_is_undone_or_of_the_shops_own_orders(app) -> None:
    placed, own = await charged(await merchant()), await place()
    before = await rows()

    async def happens() -> None:
        for order_id in (placed.id, own):
            async with orders.changing(order_id):
                await history.record(order_id, "order.waiting")

    await undone(happens())
    with suppress(Undone):
        async with orders.changing(placed.id):
            await history.record(placed.id, "order.waiting")
            raise Undone
    assert await rows() == before
    await happens()
    assert [name for name in await job_names() if name == "webhooks.publish"] == ["webhooks.publish"]
    assert (await events(own))[-1] == "order.waiting"


USD = Money(Decimal(1), "USD")
NEED_THE_LOCK = {
    "receive": lambda order_id: ledger.receive(order_id, new_id(), USD),
    "charge": lambda order_id: ledger.charge(order_id, USD),
    "supply": lambda order_id: ledger.supply(order_id, new_id(), Decimal(1)),
    "supply_back": lambda order_id: ledger.supply_back(order_id, new_id(), Decimal(1)),
    "fee": lambda order_id: ledger.fee(order_id, "refund:1", USD),
    "refunded": lambda order_id: ledger.refunded(order_id, new_id(), USD),
    "credited": lambda order_id: ledger.credited(order_id, USD),
    "reserve": lambda order_id: uses.reserve(order_id, UseKind.REFUND, USD, "refund:1"),
    "take_price": lambda order_id: uses.take_price(order_id, USD, Decimal(0)),
    "keep_for_top_up": uses.keep_for_top_up,
    "give_up": lambda order_id: uses.give_up(order_id, new_id()),
    "give_credit": lambda order_id: uses.give_credit(order_id, USD),
    "record": lambda order_id: uses.record(order_id, UseKind.REFUND, USD, "refund:1"),
    "release": lambda order_id: uses.release(order_id, UseKind.TOP_UP),
    "lock keys": keys.lock,
    "unlock keys": keys.unlock,
    "reread": orders.reread,
}


@pytest.mark.parametrize("act", NEED_THE_LOCK.values(), ids=NEED_THE_LOCK)
async def test_money_and_keys_are_refused_to_whoever_forgot_the_lock(app, act: Any) -> None:
    order_id, another = await place(), await place()
    before = await rows()
    for outside in (db.transaction(), orders.changing(another)):
        with pytest.raises(OrderNotHeld, match=str(order_id)):
            async with outside:
                await act(order_id)
    assert await rows() == before


async def test_settling_is_refused_to_whoever_forgot_the_lock(app) -> None:
    order_id = await place()
    await orders.await_payment(order_id)
    before = await rows()
    with pytest.raises(OrderNotHeld):
        await orders.settle(await queries.one(order_id))
    assert await rows() == before


# What a person or a provider sets off takes one lock a transaction.


async def test_a_notice_of_a_payment_takes_one_lock(kit, box) -> None:
    order_id, payment = await offered(kit)
    await box.pay(payment.provider_payment_id, "finished")
    body = ipn(await report(box, payment))
    assert await locks_of(lambda: tell(kit, body)) == [1]
    assert (await events(order_id))[-1] == "order.paid"


async def test_a_notice_that_names_further_deposits_takes_one_lock_for_all_of_them(kit, box) -> None:
    order_id, payment = await offered(kit)
    await box.pay(payment.provider_payment_id, "twice")
    body = (await sent_notices(box))[-1]
    assert await locks_of(lambda: tell(kit, body)) == [1]
    assert {"order.paid", "payment.adopted"} <= set(await events(order_id))


async def test_what_the_customer_chooses_takes_one_lock(kit, box) -> None:
    order_id = await underpaid(kit, box)
    assert await locks_of(lambda: customer_choice.choose(order_id, "top_up")) == [1]
    assert await locks_of(lambda: customer_choice.choose(order_id, "credit")) == [1]


async def test_asking_for_a_refund_and_turning_it_down_takes_one_lock_each(kit, box) -> None:
    order_id, _ = await paid(kit, box)
    await booked(order_id)
    whole = (await uses.funds(order_id)).returnable
    assert await locks_of(lambda: service.ask_for_rest(order_id, "by mistake", ADMIN, whole)) == [1]
    refund_id = await db.fetch_value("SELECT id FROM refund WHERE order_id = $1", order_id)
    assert await locks_of(lambda: service.fail(refund_id, "not agreed", ADMIN)) == [1]
    assert (await events(order_id))[-1] == "refund.failed"


async def test_a_reveal_takes_one_lock(kit, box) -> None:
    order_id, (item,) = await delivered(kit, box)
    assert await locks_of(lambda: keys.reveal(order_id, item.id, VISITOR, store=kit.store)) == [1]
    assert (await events(order_id))[-1] == "key.revealed"


async def test_buying_and_collecting_take_one_lock_a_step(kit, box) -> None:
    order_id, (item,) = await paid(kit, box)
    assert await locks_of(lambda: buy(kit, item)) == [1]
    found = await db.fetch_one("SELECT * FROM reservation WHERE order_id = $1", order_id)
    assert await locks_of(lambda: check(kit, found)) == [1]
    assert await locks_of(lambda: collect(kit, found)) == [1]
    assert (await events(order_id))[-1] == "order.fulfilled"


async def test_an_item_that_is_sold_out_and_its_money_taken_back_take_one_lock_each(kit, box) -> None:
    order_id, (item,) = await paid(kit, box)
    await box.set_product(await supplier_product(item), stock=0)
    assert await locks_of(lambda: buy(kit, item)) == [1]
    assert await locks_of(lambda: withdrawal.withdraw(order_id)) == [1]
    assert (await events(order_id))[-1] == "supply.withdrawn"


async def test_a_merchants_payment_and_refund_take_one_lock_a_transaction(app, drain) -> None:
    placed = await charged(await merchant())
    assert await locks_of(lambda: asked(placed)) == [1]
    made = await completed(drain, await charged(await merchant()))
    refund = create_for_merchants.create(made.merchant_id, True, made.id, None, "", None, "key Till 3")
    assert await locks_of(lambda: refund) == [1]
    while await jobs_left(drain):
        pass
    assert (await events(made.order_id))[-1] == "order.refunded"


async def jobs_left(drain: Any) -> bool:
    """Play the steps of test mode, each in transactions that lock an order once; whether there were any."""
    counted = await locks_of(lambda: drain(later=True, only="refunds.simulate"))
    assert set(counted) <= {1}
    return bool(counted)
