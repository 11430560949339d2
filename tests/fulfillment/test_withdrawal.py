"""A supplier that takes long: the owner hears, the customer may take the money back, and never gets both."""

import asyncio
import contextlib
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.core import clock, db
from app.core.money import Money
from app.fulfillment import steps, stuck_orders, withdrawal
from app.fulfillment.withdrawal import NothingToWithdraw
from app.issues import queries as issues
from app.issues.codes import IssueCode
from app.keys import reveal as keys
from app.orders import promised_times
from app.orders import service as orders
from app.orders.models import OrderItem
from app.providers.errors import ProviderError
from tests.builders import (
    VISITOR,
    buy,
    check,
    collect,
    count,
    events,
    job_names,
    order,
    paid,
    place,
    reservation,
    rows,
    supplier_product,
)

LATER = stuck_orders.LATE + timedelta(minutes=1)


async def silent(app: Any, box: Any, *quantities: int, **set_product: Any) -> tuple[UUID, list[OrderItem]]:
    """A paid order whose keys the supplier was asked for and does not deliver."""
    order_id, items = await paid(app.state.kit, box, *quantities)
    for item in items:
        await box.set_product(await supplier_product(item), mode="by_hand", **set_product)
        await buy(app.state.kit, item)
    return order_id, items


async def codes(order_id: UUID) -> list[str]:
    return [issue.code for issue in await issues.open_for(f"order:{order_id}")]


async def test_before_the_set_time_nobody_is_told_and_nothing_can_be_taken_back(app, box) -> None:
    order_id, _ = await silent(app, box)
    before = await rows()
    with clock.travelled(stuck_orders.LATE - timedelta(minutes=1)):
        assert await stuck_orders.report_slow() == 0
    with pytest.raises(NothingToWithdraw):
        await withdrawal.withdraw(order_id)
    assert await rows() == before


async def test_at_the_set_time_the_owner_hears_and_the_customer_is_written_to_once(app, box) -> None:
    order_id, (item,) = await silent(app, box)
    with clock.travelled(LATER):
        assert await stuck_orders.report_slow() == 1
        assert await stuck_orders.report_slow() == 0
    assert await codes(order_id) == ["supplier_slow"]
    assert (await events(order_id)).count("supply.late") == 1
    letter = await db.fetch_one("SELECT context::text AS said FROM mail WHERE kind = 'supplier_delay'")
    assert letter is not None
    assert f'"amount": "{Money((await order(order_id)).total, "USD")}"' in letter["said"]
    assert item.name in letter["said"]


async def test_the_issue_ends_by_itself_when_the_key_comes(app, box) -> None:
    order_id, (item,) = await silent(app, box)
    with clock.travelled(LATER):
        await stuck_orders.report_slow()
    found = await reservation(item)
    await box.act(found["supplier_order_id"], "deliver")
    await check(app.state.kit, found)
    await collect(app.state.kit, found)
    assert (await order(order_id)).status == "fulfilled"
    assert await codes(order_id) == []
    with pytest.raises(NothingToWithdraw):
        await withdrawal.withdraw(order_id)


async def test_who_takes_the_money_back_gets_all_of_it_and_no_key_that_comes_later(app, box, drain) -> None:
    order_id, (item,) = await silent(app, box)
    with clock.travelled(LATER):
        await stuck_orders.report_slow()
    total = (await order(order_id)).total
    assert (await withdrawal.withdraw(order_id)).amount == total
    await drain(only="refunds.request", later=True)
    refund = await db.fetch_one("SELECT amount, status, reason, asked_by FROM refund")
    assert refund is not None
    assert tuple(refund) == (total, "pending", withdrawal.REASON, "customer")
    found = await reservation(item)
    await box.act(found["supplier_order_id"], "deliver")
    with contextlib.suppress(ProviderError):
        await check(app.state.kit, found)
        await collect(app.state.kit, found)
    with pytest.raises(keys.KeyLocked):
        await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)
    assert await count("sealed_key", "revealed_at IS NOT NULL") == 0
    assert await count("mail", "kind = 'key_ready'") == 0
    assert await codes(order_id) == []


async def test_taking_it_back_twice_at_once_asks_for_one_refund(app, box, drain) -> None:
    order_id, _ = await silent(app, box)
    with clock.travelled(LATER):
        await stuck_orders.report_slow()
    done = await asyncio.gather(*(withdrawal.withdraw(order_id) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(answer, Money) for answer in done) == 1
    assert sum(isinstance(answer, NothingToWithdraw) for answer in done) == 3
    await drain(only="refunds.request", later=True)
    assert await count("refund") == 1


async def test_two_of_three_came_and_the_third_is_taken_back(app, box, drain) -> None:
    order_id, (item,) = await paid(app.state.kit, box, 3)
    await box.set_product(await supplier_product(item), mode="by_hand", partial=2)
    found = await buy(app.state.kit, item)
    await check(app.state.kit, found)
    await collect(app.state.kit, found)
    with clock.travelled(LATER):
        await stuck_orders.report_slow()
    total = (await order(order_id)).total
    third = await withdrawal.withdraw(order_id)
    assert third.amount == (total / 3).quantize(Decimal("0.01"), rounding="ROUND_DOWN")
    now = await order(order_id)
    assert (now.status, now.fulfillment_status, now.frozen_at) == ("fulfilled", "fulfilled", None)
    assert [(i.status, i.withdrawn) for i in now.items] == [("fulfilled", 1)]
    assert len(await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)) == 2
    await drain(only="refunds.request", later=True)
    assert await db.fetch_value("SELECT amount FROM refund") == third.amount
    await box.act(found["supplier_order_id"], "deliver")
    await check(app.state.kit, found)
    await collect(app.state.kit, found)
    assert await count("sealed_key") == 2
    assert await codes(order_id) == ["late_delivery"]
    assert (await reservation(item))["next_check_at"] is None


async def test_the_item_that_failed_is_taken_back_and_the_other_is_still_delivered(app, box, drain) -> None:
    order_id, (gone, other) = await paid(app.state.kit, box, 1, 2)
    await box.set_product(await supplier_product(gone), stock=0)
    await buy(app.state.kit, gone)
    price = (await order(order_id)).items[0].unit_price
    assert (await withdrawal.withdraw(order_id)).amount == price
    assert (await order(order_id)).status == "paid"
    found = await buy(app.state.kit, other)
    await check(app.state.kit, found)
    await collect(app.state.kit, found)
    now = await order(order_id)
    assert (now.status, [i.status for i in now.items]) == ("fulfilled", ["withdrawn", "fulfilled"])
    assert now.reasons == []
    assert "fulfillment.reserve" in await job_names()
    await drain(only="fulfillment.reserve")
    assert len(await box.orders()) == 1


@pytest.mark.parametrize("round_", range(6))
async def test_a_key_and_its_money_never_both_go_out_however_they_race(app, box, drain, round_: int) -> None:
    order_id, (item,) = await silent(app, box, 2)
    with clock.travelled(LATER):
        await stuck_orders.report_slow()
    found = await reservation(item)
    await box.act(found["supplier_order_id"], "deliver_one" if round_ % 2 else "deliver")
    await check(app.state.kit, found)

    async def deliver() -> None:
        if round_ >= 3:
            await asyncio.sleep(0.002 * round_)
        await collect(app.state.kit, found)

    await asyncio.gather(deliver(), withdrawal.withdraw(order_id), return_exceptions=True)
    await drain(only="refunds.request", later=True)
    with contextlib.suppress(Exception):
        await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)
    shown = await count("sealed_key", "revealed_at IS NOT NULL")
    total = (await order(order_id)).total
    back = await db.fetch_value("SELECT coalesce(sum(amount), 0) FROM refund")
    assert shown * total / 2 + back <= total


async def fulfilled_in(minutes: float, how_many: int) -> None:
    """Orders of before, that were fulfilled so long after they were paid."""
    for _ in range(how_many):
        order_id = await place()
        await db.fetch(
            """UPDATE customer_order SET status = 'fulfilled', paid_at = now() - $2::interval - interval '1 day',
                 fulfilled_at = now() - interval '1 day' WHERE id = $1""",
            order_id, timedelta(minutes=minutes),
        )  # fmt: skip


async def test_what_is_usual_is_measured_on_our_own_orders_and_unknown_where_few_were(app) -> None:
    with clock.travelled(timedelta(hours=1)):
        await fulfilled_in(2, 19)
        assert await promised_times.key_time() is None
    with clock.travelled(timedelta(hours=2)):
        await fulfilled_in(7, 1)
        assert await promised_times.key_time() == timedelta(minutes=2)
    with clock.travelled(timedelta(hours=3)):
        await fulfilled_in(7, 5)
        assert await promised_times.key_time() == timedelta(minutes=7)


async def test_past_what_is_usual_the_timeline_says_so_once(app, box) -> None:
    order_id, _ = await silent(app, box)
    await fulfilled_in(4, 20)
    with clock.travelled(timedelta(minutes=3)):
        await stuck_orders.report_slow()
        assert "supply.slow" not in await events(order_id)
    with clock.travelled(timedelta(minutes=5)):
        await stuck_orders.report_slow()
        await stuck_orders.report_slow()
    assert (await events(order_id)).count("supply.slow") == 1
    assert await codes(order_id) == []


@pytest.mark.parametrize(
    ("took", "words"),
    [
        (5, "a minute"),
        (61, "2 minutes"),
        (180, "3 minutes"),
        (5940, "99 minutes"),
        (6000, "2 hours"),
        (300000, "4 days"),
    ],
)
def test_a_time_is_said_in_words_and_never_shorter_than_it_is(took: int, words: str) -> None:
    assert promised_times.in_words(timedelta(seconds=took)) == words


async def test_the_customer_of_a_sold_out_game_is_written_to_once_however_often_it_is_tried_again(
    app, box, drain
) -> None:
    order_id, (item,) = await paid(app.state.kit, box)
    await box.set_product(await supplier_product(item), stock=0)
    await buy(app.state.kit, item)
    await steps.retry_item(item.id)
    await drain(only="fulfillment.reserve")
    assert (await order(order_id)).fulfillment_status == "failed"
    letter = await db.fetch_one("SELECT context FROM mail WHERE kind = 'sold_out'")
    assert letter is not None
    told = json.loads(letter["context"])
    assert (told["games"], told["amount"]) == (item.name, str(Money((await order(order_id)).total, "USD")))
    assert await count("mail", "kind = 'sold_out'") == 1


async def test_a_second_game_that_sells_out_later_is_told_by_a_letter_of_its_own(app, box, drain) -> None:
    order_id, items = await paid(app.state.kit, box, 1, 1)
    for item in items:
        await box.set_product(await supplier_product(item), stock=0)
        await buy(app.state.kit, item)
    for item in items:
        await steps.retry_item(item.id)
        await drain(only="fulfillment.reserve")
    assert (await order(order_id)).fulfillment_status == "failed"
    found = await db.fetch("SELECT context FROM mail WHERE kind = 'sold_out' ORDER BY created_at")
    told = [json.loads(row["context"]) for row in found]
    first, second = (item.name for item in items)
    assert [one["games"] for one in told] == [first, f"{first}, {second}"]
    assert told[1]["amount"] == str(Money((await order(order_id)).total, "USD"))


async def test_a_supplier_that_is_silent_again_after_a_retry_is_told_of_again(app, box) -> None:
    order_id, (item,) = await silent(app, box)
    with clock.travelled(LATER):
        assert await stuck_orders.report_slow() == 1
        async with orders.changing(order_id):
            assert await orders.item_failed(order_id, item.id, IssueCode.SUPPLY_CANCELLED, "canceled")
            assert await orders.item_retried(order_id, item.id)
        assert await stuck_orders.report_slow() == 0
    with clock.travelled(LATER + LATER):
        assert [await stuck_orders.report_slow(), await stuck_orders.report_slow()] == [1, 0]
    assert await codes(order_id) == ["supplier_slow"]
    assert await count("mail", "kind = 'supplier_delay'") == 2


async def test_a_price_that_rose_and_a_supplier_that_cancelled_are_told_by_letters_of_their_own(app, box) -> None:
    _, (dear,) = await paid(app.state.kit, box)
    await box.set_product(await supplier_product(dear), price="900.00")
    await buy(app.state.kit, dear)
    assert await count("mail", "kind = 'price_jump'") == 1
    order_id, (item,) = await silent(app, box, 1)
    found = await db.fetch_one("SELECT * FROM reservation WHERE order_id = $1", order_id)
    assert found is not None
    await box.act(found["supplier_order_id"], "cancel")
    await check(app.state.kit, found)
    assert await count("mail", "kind = 'supply_failed'") == 1
    assert item.name
