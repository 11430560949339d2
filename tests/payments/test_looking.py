"""Looking for ourselves: open payments are asked about ever more slowly, and an order heals without a single notice."""

import asyncio
from datetime import datetime, timedelta

import pytest
from msgspec.structs import asdict

from app.core import clock, db
from app.fulfillment import steps
from app.payments import queries
from app.payments import service as payments
from app.payments.classify import IN_FLIGHT, Outcome
from app.payments.models import Payment
from app.payments.reconcile import CHECKS_A_SWEEP, RECHECK_LEASE
from app.payments.schedule import FIRST_LOOK, GOOD_FOR, RAREST, RAREST_IN_FLIGHT, SECOND_LOOK, next_look
from app.payments.states import PaymentStatus
from tests.builders import count, events, job_names, look, offered, order, place, rows

SECOND = timedelta(seconds=1)
DUE = FIRST_LOOK + SECOND
P = PaymentStatus


async def row(payment: Payment) -> Payment:
    found = await queries.one(payment.id)
    assert found is not None
    return found


async def next_look_at(payment: Payment) -> datetime:
    return (await row(payment)).next_check_at


async def test_an_open_payment_is_asked_about_once_it_is_due_and_not_before(app) -> None:
    await offered(app.state.kit)
    assert await payments.post_due_checks() == 0
    with clock.travelled(DUE):
        assert await payments.post_due_checks() == 1
        assert await payments.post_due_checks() == 0
    assert (await job_names()).count("payments.check") == 1


async def test_five_sweeps_at_once_ask_once(app) -> None:
    await offered(app.state.kit)
    with clock.travelled(DUE):
        assert sum(await asyncio.gather(*(payments.post_due_checks() for _ in range(5)))) == 1
    assert await count("job", "name = 'payments.check'") == 1


async def test_a_look_that_got_lost_is_asked_for_again(app) -> None:
    await offered(app.state.kit)
    with clock.travelled(DUE):
        await payments.post_due_checks()
    await db.fetch("DELETE FROM job")
    with clock.travelled(DUE + RECHECK_LEASE + SECOND):
        assert await payments.post_due_checks() == 1


async def test_a_sweep_asks_about_so_many_and_leaves_the_rest_to_the_next(app) -> None:
    await offered(app.state.kit)
    await db.fetch(
        """INSERT INTO payment (id, order_id, attempt, status, price_amount, price_currency, pay_currency,
             provider_payment_id, next_check_at, created_at, updated_at)
           SELECT gen_random_uuid(), order_id, n + 1, 'waiting', price_amount, price_currency, pay_currency, n::text,
             next_check_at, created_at, updated_at FROM payment, generate_series(1, $1) AS n""",
        CHECKS_A_SWEEP + 4,
    )
    with clock.travelled(DUE):
        assert [await payments.post_due_checks() for _ in range(3)] == [CHECKS_A_SWEEP, 5, 0]


def after(status: PaymentStatus, age: timedelta, outcome: str | None = None) -> timedelta | None:
    """How long after a look at this age the next one follows."""
    now = clock.now()
    at = next_look(status, outcome, now - age, now)
    return at - now if at else None


def test_looks_get_ever_rarer_and_stop_when_the_address_is_no_longer_good() -> None:
    ages = [timedelta(0), timedelta(minutes=29), timedelta(hours=1), timedelta(hours=10), timedelta(days=5)]
    for status in (P.WAITING, P.EXPIRED, P.PARTIALLY_PAID):
        waits = [after(status, age) for age in ages]
        assert waits == [FIRST_LOOK, FIRST_LOOK, timedelta(minutes=3), timedelta(minutes=30), RAREST]
        assert after(status, GOOD_FOR + SECOND) is None


def test_money_that_was_seen_is_looked_after_however_old_its_attempt() -> None:
    for status in IN_FLIGHT:
        assert after(status, timedelta(days=6)) == RAREST_IN_FLIGHT


def test_a_paid_payment_is_looked_at_for_further_deposits_after_one_hour_two_four_and_so_on() -> None:
    age, looks = timedelta(0), 0
    while wait := after(P.FINISHED, age):
        age, looks = age + wait, looks + 1
    assert looks == 9


@pytest.mark.parametrize("status", [P.FINISHED, P.FAILED, P.REFUNDED])
def test_an_ended_payment_is_looked_at_while_its_address_can_take_money(status: P) -> None:
    for days in range(8):
        assert after(status, timedelta(days=days)) is not None
    assert after(status, timedelta(days=9)) is None


def test_what_is_called_paid_without_money_is_looked_at_as_if_it_were_open() -> None:
    assert after(P.FINISHED, timedelta(0), Outcome.NO_MONEY) == FIRST_LOOK


async def test_a_look_keeps_to_the_schedule(app, box) -> None:
    _, payment = await offered(app.state.kit)
    await look(app.state.kit, payment)
    assert abs(await next_look_at(payment) - clock.now() - FIRST_LOOK) < SECOND
    await box.pay(payment.provider_payment_id, "finished")
    await look(app.state.kit, payment)
    assert abs(await next_look_at(payment) - clock.now() - SECOND_LOOK) < SECOND


async def test_a_payment_the_provider_does_not_know_is_asked_about_ever_more_rarely(app) -> None:
    order_id, payment = await offered(app.state.kit)
    await db.fetch("UPDATE payment SET provider_payment_id = '1'")
    before = await rows(but=["payment"])
    await look(app.state.kit, payment)
    assert await rows(but=["payment"]) == before
    assert abs(await next_look_at(payment) - clock.now() - FIRST_LOOK) < SECOND
    assert (await order(order_id)).status == "waiting"


async def test_an_expired_payment_is_watched_on_as_late_money_may_come(app, box) -> None:
    _, payment = await offered(app.state.kit)
    await box.pay(payment.provider_payment_id, "expired")
    await look(app.state.kit, payment)
    assert await next_look_at(payment) > clock.now()


async def test_a_look_that_finds_nothing_new_changes_nothing_but_its_schedule(app) -> None:
    order_id, payment = await offered(app.state.kit)
    before, told = await rows(but=["payment"]), await row(payment)
    await look(app.state.kit, payment)
    assert await rows(but=["payment"]) == before
    changed = {name for name, value in asdict(await row(payment)).items() if value != getattr(told, name)}
    assert changed <= {"checks", "next_check_at", "updated_at"}
    assert await events(order_id) == ["order.created", "order.waiting"]


async def test_with_every_notice_lost_a_paid_order_still_comes_to_its_keys(app, drain, box) -> None:
    order_id = await place(2, 1)
    await drain(only="payments.create")
    (payment,) = await queries.of_order(order_id)
    await box.pay(payment.provider_payment_id)
    for minutes in (1, 2, 3):
        with clock.travelled(timedelta(minutes=minutes)):
            await payments.post_due_checks()
            await steps.post_due_checks()
            await drain()
    found = await order(order_id)
    assert (found.status, found.fulfillment_status, found.reasons) == ("fulfilled", "fulfilled", [])
    assert (await count("sealed_key"), await count("inbound_webhook")) == (3, 0)
    assert len(await box.orders()) == 2
