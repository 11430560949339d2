"""Store credit that paid a part of an order comes back with its money for keys nobody has seen alone."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import db
from app.fulfillment import steps
from app.keys import reveal as keys
from app.orders.models import OrderItem
from app.refunds import service, store_credit
from app.refunds.models import Refund
from tests.builders import VISITOR, count, events, order
from tests.fulfillment.test_withdrawal_money import deliver, left_of, paid_with_credit, sold_out
from tests.refunds.builders import ADMIN, asked, usd

HASH = "a" * 64


async def show(app: Any, order_id: UUID, item: OrderItem) -> None:
    await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)


async def send(order_id: UUID, amount: Any = None) -> Refund:
    """A refund, asked for and sent by hand."""
    made = await asked(order_id, amount)
    await service.record(made.id, HASH, ADMIN)
    return made


async def test_a_small_refund_after_a_key_was_seen_leaves_its_store_credit_used(app, box) -> None:
    order_id, (item,), code = await paid_with_credit(app, box, "4", 1)
    await deliver(app, item)
    await show(app, order_id, item)
    made = await send(order_id)
    assert ((await order(order_id)).status, await left_of(code)) == ("refunded", 0)
    assert json.loads(made.evidence)["credit"] == {"used": "$4.00", "kept": "$4.00", "back": "$0.00"}
    assert "credit.returned" not in await events(order_id)
    assert await count("mail", "kind = 'refund_paid' AND context->>'credit' = ''") == 1


async def test_two_part_refunds_of_a_seen_key_leave_its_store_credit_used(app, box) -> None:
    order_id, (item,), code = await paid_with_credit(app, box, "4", 1)
    await deliver(app, item)
    await send(order_id, usd("1"))
    await show(app, order_id, item)
    assert ((await order(order_id)).status, await left_of(code)) == ("fulfilled", 0)
    await send(order_id)
    assert ((await order(order_id)).status, await left_of(code)) == ("refunded", 0)


async def test_a_full_refund_of_a_key_nobody_saw_brings_the_store_credit_back_and_says_so(app, box) -> None:
    order_id, (item,), code = await paid_with_credit(app, box, "4", 1)
    await deliver(app, item)
    await send(order_id)
    assert ((await order(order_id)).status, await left_of(code)) == ("refunded", 4)
    assert (await events(order_id)).count("credit.returned") == 1
    assert await count("mail", "kind = 'refund_paid' AND context->>'credit' = '$4.00'") == 1


async def test_of_two_keys_the_store_credit_of_the_unseen_one_alone_comes_back(app, box) -> None:
    order_id, (seen, unseen), code = await paid_with_credit(app, box, "10", 1, 1)
    for item in (seen, unseen):
        await deliver(app, item)
    await show(app, order_id, seen)
    found = await store_credit.of_order(order_id)
    assert found is not None
    share = 10 * unseen.unit_price / (seen.unit_price + unseen.unit_price)
    assert (found.used.amount, found.kept.amount + found.back.amount) == (10, 10)
    assert share - Decimal("0.01") < found.back.amount <= share
    await send(order_id)
    assert await left_of(code) == found.back.amount


async def test_store_credit_comes_back_with_the_refund_of_an_order_that_was_not_delivered(app, box, drain) -> None:
    order_id, (item,), code = await paid_with_credit(app, box, "4", 1)
    await sold_out(app, box, item)
    await steps.give_up(order_id, by=ADMIN)
    await drain(only="refunds.request", later=True)
    assert await left_of(code) == 0
    await service.record(await db.fetch_value("SELECT id FROM refund"), HASH, ADMIN)
    assert ((await order(order_id)).status, await left_of(code)) == ("refunded", 4)
