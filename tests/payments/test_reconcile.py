"""Every notice lost: what is paid is found in time, with its further deposits; what nobody pays comes to an end."""

import random
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.core import clock, db
from app.fulfillment import steps
from app.ledger import service as ledger
from app.orders import service as orders
from app.payments import queries
from app.payments import service as payments
from app.payments.reconcile import FORGOTTEN
from app.payments.schedule import GOOD_FOR
from tests.builders import ask, count, events, job_names, look, offered, order, place, rows

SECOND = timedelta(seconds=1)
SWEEP = 6 * SECOND
LATEST = timedelta(minutes=3)  # the promise
PAYING = 600  # seconds in which the customers pay


def at(moment: datetime) -> AbstractContextManager[None]:
    return clock.travelled(moment - clock.now())


async def watched_only(order_id: Any) -> None:
    """Its payment was made without the job that an order brings along: that one is done."""
    await db.fetch("UPDATE job SET status = 'completed' WHERE subject = $1 AND name = 'payments.create'", order_id)


@pytest.mark.parametrize("customers", [8, pytest.param(40, marks=pytest.mark.proof)])
async def test_with_every_notice_dropped_each_paid_order_completes_within_three_minutes(
    app, drain, box, customers: int
) -> None:
    """Customers pay at any moment of ten minutes; not one notice of either provider leaves."""
    for provider in ("nowpayments", "kinguin"):
        await box.fault(provider, "drop_webhooks")
    chance, start = random.Random(3), clock.now()
    due: dict[Any, datetime] = {}
    for _ in range(customers):
        order_id, payment = await offered(app.state.kit)
        due[order_id, payment.provider_payment_id] = start + chance.randint(5, PAYING) * SECOND
    unpaid, moment = dict(due), start
    while moment < start + PAYING * SECOND + 2 * LATEST:
        for (order_id, payment_id), then in list(unpaid.items()):
            if then <= moment:
                await box.pay(payment_id, chance.choice(["finished", "success"]))
                del unpaid[order_id, payment_id]
        with at(moment):
            await payments.post_due_checks()
            await steps.post_due_checks()
            await drain(most=1000)
        moment += SWEEP
        if not unpaid and await count("customer_order", "status <> 'fulfilled'") == 0:
            break
    ends = {row["id"]: row["fulfilled_at"] for row in await db.fetch("SELECT id, fulfilled_at FROM customer_order")}
    assert None not in ends.values()
    took = sorted(ends[order_id] - then for (order_id, _), then in due.items())
    assert took[int(len(took) * 0.95)] <= LATEST, took
    assert await count("inbound_webhook") == 0
    assert (await count("sealed_key"), len(await box.orders())) == (customers, customers)
    assert await ledger.prove() == []


@pytest.mark.parametrize("case", ["twice", "wrong_coin"])
async def test_a_deposit_whose_notice_was_lost_is_found_and_linked_once(app, box, case: str) -> None:
    order_id, payment = await offered(app.state.kit)
    await box.pay(payment.provider_payment_id, case)
    for _ in range(3):
        await look(app.state.kit, payment)
    deposit, first = await queries.of_order(order_id)
    assert deposit.parent_payment_id == first.provider_payment_id
    assert deposit.outcome == {"twice": "further_deposit", "wrong_coin": "wrong_coin"}[case]
    assert deposit.value == payment.price_amount
    assert (await events(order_id)).count("payment.adopted") == 1
    assert (await job_names()).count("fulfillment.reserve") == (1 if case == "twice" else 0)


async def test_a_further_deposit_days_after_the_order_was_fulfilled_is_found_by_looking(app, drain, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await box.pay(payment.provider_payment_id)
    await look(app.state.kit, payment)
    await drain()
    assert (await order(order_id)).status == "fulfilled"
    await box.pay(payment.provider_payment_id, "twice")
    for hours in (2, 5, 10, 20, 40, 80):
        with clock.travelled(timedelta(hours=hours)):
            await payments.post_due_checks()
            await drain()
    found = await order(order_id)
    assert (found.status, "further deposit" in str(found.reasons)) == ("fulfilled", True)
    assert (len(await box.orders()), await count("sealed_key")) == (1, 1)


async def test_late_money_without_a_notice_is_found_for_as_long_as_the_address_is_good(app, drain, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await box.pay(payment.provider_payment_id, "expired")
    await look(app.state.kit, payment)
    assert (await order(order_id)).status == "expired"
    with clock.travelled(timedelta(days=6)):
        await box.pay(payment.provider_payment_id, "late")
        await payments.post_due_checks()
        await drain()
    assert (await order(order_id)).status == "fulfilled"
    assert (await queries.one(payment.id)).outcome == "paid_late"


async def test_an_order_whose_coin_was_refused_expires_after_a_day_and_not_before(app, drain) -> None:
    order_id = await place(where="slug LIKE 'glimmerhaul%'", coin="btc")
    await drain(only="payments.create")
    assert "payment.refused" in await events(order_id)
    with clock.travelled(FORGOTTEN - timedelta(minutes=1)):
        assert await payments.close_forgotten() == 0
    with clock.travelled(FORGOTTEN + timedelta(minutes=1)):
        assert await payments.close_forgotten() == 1
        assert await payments.close_forgotten() == 0
    assert (await order(order_id)).status == "expired"


async def test_an_order_whose_job_still_tries_is_not_forgotten(app) -> None:
    order_id = await place()
    with clock.travelled(FORGOTTEN * 2):
        assert await payments.close_forgotten() == 0
    assert (await order(order_id)).status == "created"


async def test_an_order_the_provider_never_answers_for_ends_when_looking_ends(app, drain) -> None:
    order_id, payment = await offered(app.state.kit)
    await db.fetch("UPDATE payment SET provider_payment_id = '1'")  # one it does not know
    await watched_only(order_id)
    with clock.travelled(GOOD_FOR + timedelta(hours=5)):
        assert await payments.close_forgotten() == 0
        await payments.post_due_checks()
        await drain(only="payments.check")
        assert await payments.close_forgotten() == 1
    assert (await order(order_id)).status == "expired"
    assert (await queries.one(payment.id)).next_check_at is None


async def test_an_order_that_has_money_is_put_before_a_person_and_never_expires(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await box.pay(payment.provider_payment_id, "confirming")
    await look(app.state.kit, payment)
    await watched_only(order_id)
    await db.fetch("UPDATE payment SET next_check_at = NULL")
    with clock.travelled(GOOD_FOR):
        assert await payments.close_forgotten() == 1
        assert await payments.close_forgotten() == 0
    found = await order(order_id)
    assert (found.status, found.reasons) == ("confirming", ["its payment was seen but never completed"])


async def test_closing_what_is_asked_for_again_meanwhile_changes_nothing(app) -> None:
    order_id, payment = await offered(app.state.kit)
    await db.fetch("UPDATE payment SET next_check_at = NULL")
    await watched_only(order_id)
    await ask(app.state.kit, order_id)
    before = await rows()
    with clock.travelled(GOOD_FOR):
        await payments.close_forgotten()
    assert await rows() == before
    assert payment.attempt == 1


async def test_a_cancelled_orders_late_money_is_found_and_offered_back(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await orders.cancel(order_id)
    await box.pay(payment.provider_payment_id)
    await look(app.state.kit, payment)
    found = await payments.options(await order(order_id))
    assert found is not None
    assert (found.held.amount, found.missing) == (payment.price_amount, None)
