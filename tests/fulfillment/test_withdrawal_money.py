"""Money taken back for keys that don't come: once, of the price, with its credit, and owed until it has gone."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.catalog import credits
from app.core import clock, db
from app.core.money import Money
from app.fulfillment import steps, stuck_orders, withdrawal
from app.fulfillment.withdrawal import NothingToWithdraw
from app.issues import queries as issues
from app.issues.codes import IssueCode
from app.ledger import service as ledger
from app.ledger import uses
from app.orders import service as orders
from app.orders.models import OrderItem
from app.payments import service as payments
from app.refunds import service as refunds
from app.suppliers.registry import open_suppliers
from tests.builders import (
    COIN,
    EMAIL,
    ask,
    buy,
    check,
    collect,
    count,
    job_names,
    look,
    offered,
    order,
    overtaken,
    paid,
    place,
    products,
    reservation,
    rows,
    supplier_product,
)

LATER = stuck_orders.LATE + timedelta(minutes=1)


async def paid_with_credit(app: Any, box: Any, amount: str, *quantities: int) -> tuple[UUID, list[OrderItem], str]:
    """An order that a credit of this much paid in part, or wholly, and the credit's code."""
    code = await credits.give(await place(), EMAIL, Money(Decimal(amount), "USD"))
    chosen = await products(len(quantities))
    wanted = [orders.Wanted(p["id"], n) for p, n in zip(chosen, quantities, strict=True)]
    order_id = (await orders.place(EMAIL, await orders.quote(wanted, code, email=EMAIL), pay_currency=COIN)).order_id
    if not (await order(order_id)).total:
        async with orders.changing(order_id) as locked:
            await orders.covered(locked)
    else:
        payment = await ask(app.state.kit, order_id)
        await box.pay(payment.provider_payment_id)
        await look(app.state.kit, payment)
    return order_id, (await order(order_id)).items, code


async def sold_out(app: Any, box: Any, item: OrderItem) -> None:
    await box.set_product(await supplier_product(item), stock=0)
    await buy(app.state.kit, item)


async def deliver(app: Any, item: OrderItem) -> None:
    found = await buy(app.state.kit, item)
    await check(app.state.kit, found)
    await collect(app.state.kit, found)


async def left_of(code: str) -> Decimal:
    return Decimal(await db.fetch_value("SELECT amount FROM credit WHERE code = $1", code))


async def test_credit_that_paid_for_a_missing_key_comes_back_as_credit(app, box) -> None:
    order_id, (item,), code = await paid_with_credit(app, box, "10", 2)
    await box.set_product(await supplier_product(item), mode="by_hand", partial=1)
    await deliver(app, item)
    with clock.travelled(LATER):
        await stuck_orders.report_slow()
    total = (await order(order_id)).total
    assert (await withdrawal.withdraw(order_id)).amount == (total / 2).quantize(Decimal("0.01"), rounding="ROUND_DOWN")
    assert await left_of(code) == 5


async def test_credit_given_back_for_one_item_does_not_come_back_again_with_the_other(app, box) -> None:
    order_id, (first, second), code = await paid_with_credit(app, box, "10", 1, 1)
    await sold_out(app, box, first)
    await withdrawal.withdraw(order_id)
    part = await left_of(code)
    assert 0 < part < 10
    await sold_out(app, box, second)
    await withdrawal.withdraw(order_id)
    async with db.transaction():
        await orders.refunded(order_id)  # as when the second refund is paid
    assert await left_of(code) == 10


async def test_what_was_refunded_by_hand_for_a_missing_key_is_not_offered_again(app, box) -> None:
    order_id, (here, gone) = await paid(app.state.kit, box, 1, 1)
    await deliver(app, here)
    await sold_out(app, box, gone)
    price, now = gone.unit_price, await order(order_id)
    offer = await withdrawal.offered(now)
    assert offer is not None
    assert offer.share.amount == price
    await refunds.ask(order_id, Money(price - 3, "USD"), "by hand", "admin boss")
    offer = await withdrawal.offered(now)
    assert offer is not None
    assert offer.share.amount == 3
    await refunds.ask(order_id, Money(Decimal(3), "USD"), "by hand", "admin boss")
    before = await rows()
    with pytest.raises(NothingToWithdraw):
        await withdrawal.withdraw(order_id)
    assert await rows() == before


async def withdrawn_in_part(app: Any, box: Any, drain: Any, *, paid_more: str = "0") -> tuple[UUID, Money]:
    """An order of two items of which one came; the money of the other is to go back. ``paid_more``: above the price."""
    order_id, payment = await offered(app.state.kit, 1, 1)
    total = (await order(order_id)).total
    await box.pay(payment.provider_payment_id, "finished", str(1 + Decimal(paid_more) / total))
    await look(app.state.kit, payment)
    here, gone = (await order(order_id)).items
    await deliver(app, here)
    await sold_out(app, box, gone)
    share = await withdrawal.withdraw(order_id)
    await drain(only="refunds.request", later=True)
    return order_id, share


async def test_a_refund_of_a_missing_key_that_is_turned_down_leaves_its_money_owed(app, box, drain) -> None:
    order_id, share = await withdrawn_in_part(app, box, drain)
    assert ((await order(order_id)).status, (await uses.funds(order_id)).free.amount) == ("fulfilled", 0)
    refund_id = await db.fetch_value("SELECT id FROM refund")
    await refunds.fail(refund_id, "no address came", "admin boss")
    assert (await order(order_id)).reasons == [f"{share} is owed back: its refund was turned down"]
    assert (await uses.funds(order_id)).undecided == share
    await refunds.retry(refund_id, "admin boss")
    assert ((await order(order_id)).reasons, (await uses.funds(order_id)).free.amount) == ([], 0)


async def test_money_of_a_missing_key_can_become_credit_when_its_refund_was_turned_down(app, box, drain) -> None:
    order_id, share = await withdrawn_in_part(app, box, drain)
    await refunds.fail(await db.fetch_value("SELECT id FROM refund"), "no address came", "admin boss")
    await payments.choose(order_id, "credit")
    assert await db.fetch_value("SELECT amount FROM credit WHERE from_order = $1", order_id) == share.amount
    assert (await uses.funds(order_id)).free.amount == 0
    assert await ledger.prove() == []


async def test_what_was_paid_too_much_stays_owed_when_a_missing_key_is_refunded(app, box, drain) -> None:
    order_id, share = await withdrawn_in_part(app, box, drain, paid_more="5")
    now = await uses.funds(order_id)
    assert (now.free.amount, now.from_price) == (5, share.amount)
    assert "$5.00 is owed back" in str((await order(order_id)).reasons)
    assert await ledger.prove() == []


@pytest.mark.parametrize("door", ["customer", "admin"])
async def test_an_order_that_credit_alone_paid_is_undone_and_the_credit_is_back(app, box, door: str) -> None:
    order_id, (item,), code = await paid_with_credit(app, box, "500", 1)
    assert ((await order(order_id)).total, await left_of(code)) == (0, 500 - item.unit_price)
    await sold_out(app, box, item)
    offer = await withdrawal.offered(await order(order_id))
    assert offer is not None
    assert (offer.share.amount, offer.credit.amount) == (0, item.unit_price)
    if door == "customer":
        await withdrawal.withdraw(order_id)
    else:
        await steps.give_up(order_id, by="admin boss")
    now = await order(order_id)
    assert (now.status, now.reasons, await left_of(code)) == ("refunded", [], 500)
    assert (await count("refund"), (await job_names()).count("refunds.request")) == (0, 0)


async def test_an_item_whose_money_was_taken_back_is_not_opened_again(app, box) -> None:
    order_id, (gone, _) = await paid(app.state.kit, box, 1, 1)
    await sold_out(app, box, gone)
    await withdrawal.withdraw(order_id)
    before = await rows()
    with pytest.raises(steps.NotRetryable):
        await steps.retry_item(gone.id)
    async with db.transaction():
        # A try that was out when the money was taken back.
        assert not await orders.item_failed(order_id, gone.id, IssueCode.SOLD_OUT, "sold out")
    assert await rows() == before


async def test_keys_that_come_while_they_are_fetched_and_taken_back_are_told_of(app, box) -> None:
    order_id, (item,) = await paid(app.state.kit, box, 2)
    await box.set_product(await supplier_product(item), mode="by_hand", partial=1)
    await deliver(app, item)
    found = await reservation(item)
    with clock.travelled(LATER):
        await stuck_orders.report_slow()
    await box.act(found["supplier_order_id"], "deliver")
    await check(app.state.kit, found)
    await db.fetch("DELETE FROM job WHERE name = 'fulfillment.check'")
    commit = overtaken(lambda: withdrawal.withdraw(order_id))
    await steps.collect(found["id"], suppliers=open_suppliers(app.state.kit), store=app.state.store, commit=commit)
    assert (await count("sealed_key"), (await job_names()).count("fulfillment.check")) == (1, 1)
    await check(app.state.kit, found)
    assert [issue.code for issue in await issues.open_for(f"order:{order_id}")] == ["late_delivery"]
