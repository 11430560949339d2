"""Unseen keys go back to the supplier where its rules allow, once, and what it pays back is booked."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.core import clock, db
from app.fulfillment import returns
from app.keys import reveal as keys
from app.ledger import queries as books
from app.ledger.accounts import Account
from app.refunds import service
from app.suppliers.registry import open_suppliers
from tests.builders import NOW, VISITOR, count, events, job_names, order, rows
from tests.refunds.builders import ADMIN, asked, fulfilled, paid_for, usd


@pytest.fixture
def kit(app):
    return app.state.kit


async def charged(box) -> Decimal:
    return sum((Decimal(o["charged"]) - Decimal(o["credited"]) for o in await box.orders()), Decimal(0))


async def test_unseen_keys_are_given_back_and_the_money_is_booked(kit, box, drain) -> None:
    order_id, _ = await fulfilled(kit, box, 2)
    cost = await charged(box)
    assert cost > 0
    assert (await books.balances(order_id))[Account.SUPPLIER_COST] == cost
    await asked(order_id)
    await drain(only="fulfillment.return_keys")
    await drain(later=True, only="fulfillment.check_return")
    assert await charged(box) == 0
    assert await count("sealed_key", "returned_at IS NOT NULL AND locked_at IS NOT NULL") == 2
    assert (await books.balances(order_id))[Account.SUPPLIER_COST] == 0
    assert await db.fetch_value("SELECT refunded FROM reservation") == cost
    assert (await events(order_id)).count("supply.returned") == 1
    assert "fulfillment.check_return" not in await job_names()


async def test_each_item_goes_back_by_its_own_call_once_however_often_it_is_asked(kit, box, drain) -> None:
    order_id, _ = await fulfilled(kit, box, 1, 1)
    await asked(order_id)
    for _ in range(3):
        await returns.give_back(order_id, suppliers=open_suppliers(kit), commit=NOW)
    await drain(later=True)
    assert await charged(box) == 0
    assert (await events(order_id)).count("supply.returned") == 2


async def test_an_item_with_a_key_that_was_shown_is_kept(kit, box, drain) -> None:
    order_id, [item] = await fulfilled(kit, box, 2)
    cost = await charged(box)
    await db.fetch("UPDATE sealed_key SET revealed_at = now() WHERE ordinal = 0")
    await asked(order_id)
    await drain(later=True)
    assert await charged(box) == cost
    assert await count("sealed_key", "returned_at IS NOT NULL") == 0
    assert "supply.return_refused" in await events(order_id)
    with pytest.raises(keys.KeyLocked):
        await keys.reveal(order_id, item.id, VISITOR, store=kit.store)


async def test_after_its_day_the_supplier_keeps_the_money_and_the_keys_stay_locked(kit, box, drain) -> None:
    order_id, _ = await fulfilled(kit, box)
    [theirs] = await box.orders()
    await box.act(theirs["orderId"], "refund")  # there is nothing to return any more
    await asked(order_id)
    await drain(only="fulfillment.return_keys")
    assert await count("sealed_key", "returned_at IS NULL AND locked_at IS NOT NULL") == 1
    assert "supply.return_refused" in await events(order_id)
    await drain(later=True, only="fulfillment.check_return")
    assert await job_names("failed") == []


async def test_a_lost_answer_is_settled_by_looking(kit, box, drain) -> None:
    order_id, _ = await fulfilled(kit, box)
    await asked(order_id)
    await box.fault("kinguin", "error500_after_effect", path="/keys/return", count=1)
    await drain(later=True)
    assert await charged(box) == 0
    assert (await events(order_id)).count("supply.returned") == 1


async def test_a_call_that_did_nothing_is_made_once_more(kit, box, drain) -> None:
    order_id, _ = await fulfilled(kit, box)
    await asked(order_id)
    await box.fault("kinguin", "error500", path="/keys/return", count=1)
    await drain(later=True)
    assert await charged(box) == 0


async def test_what_is_still_to_be_delivered_is_waited_for_and_given_back_then(kit, box, drain) -> None:
    await box.settings(deliveryDelay=3600)
    order_id = await paid_for(kit, box)
    await drain(only="fulfillment.reserve")
    await asked(order_id)
    await drain(only="fulfillment.return_keys")
    assert "fulfillment.return_keys" in await job_names()
    [theirs] = await box.orders()
    await box.act(theirs["orderId"], "deliver")
    await drain(only="fulfillment.check")
    await drain(only="fulfillment.collect")
    await drain(later=True, only="fulfillment.return_keys")
    await drain(later=True, only="fulfillment.check_return")
    assert await charged(box) == 0


async def test_what_is_never_delivered_is_not_waited_for_longer_than_a_day(kit, box, drain) -> None:
    await box.settings(deliveryDelay=3600)
    order_id = await paid_for(kit, box)
    await drain(only="fulfillment.reserve")
    await asked(order_id)
    await db.fetch("DELETE FROM job")
    with clock.travelled(timedelta(hours=25)):
        await returns.give_back(order_id, suppliers=open_suppliers(kit), commit=NOW)
    assert await job_names() == []


async def test_a_refund_of_a_part_gives_nothing_back(kit, box, drain) -> None:
    order_id, _ = await fulfilled(kit, box)
    await asked(order_id, usd("1.00"))
    before = await rows()
    await returns.give_back(order_id, suppliers=open_suppliers(kit), commit=NOW)
    assert await rows() == before


async def test_turning_down_after_the_keys_went_back_puts_the_order_before_a_person(kit, box, drain) -> None:
    order_id, [item] = await fulfilled(kit, box)
    made = await asked(order_id)
    await drain(only="fulfillment.return_keys")
    await service.fail(made.id, "no", ADMIN)
    assert (await order(order_id)).reasons == ["refund turned down, but its keys went back to the supplier"]
    with pytest.raises(keys.KeyLocked):
        await keys.reveal(order_id, item.id, VISITOR, store=kit.store)
