"""Several attempts for one order: one pays it, the end of another never ends it, and no money is lost sight of."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.core import clock, db
from app.core.money import Money
from app.ledger import queries as books
from app.orders import service as orders
from app.payments import queries
from app.payments.models import Payment
from tests.builders import ask, events, ipn, job_names, look, offered, order, report, sent_notices, tell

OWED = "a further deposit arrived for this order: it is owed back"
ASKED = "paid late, and no longer sold at this price: the customer is asked"


async def paid_by(app: Any, box: Any, payment: Payment, case: str = "finished", fraction: str = "1.0") -> None:
    await box.pay(payment.provider_payment_id, case, fraction)
    await look(app.state.kit, payment)


async def deposit(app: Any, box: Any, payment: Payment, fraction: str) -> None:
    """A further deposit to the address of a closed payment, and its notice."""
    await box.pay(payment.provider_payment_id, "success", fraction)
    await tell(app.state.kit, (await sent_notices(box))[-1])


async def state(order_id: UUID) -> tuple[str, str | None, int]:
    """Status, why a person has to look, and how many purchases were begun."""
    found = await order(order_id)
    return found.status, " · ".join(found.reasons) or None, (await job_names()).count("fulfillment.reserve")


async def test_the_second_of_two_payments_is_owed_back_and_buys_nothing(app, box) -> None:
    order_id, first = await offered(app.state.kit)
    second = await ask(app.state.kit, order_id)
    await paid_by(app, box, second)
    assert await state(order_id) == ("paid", None, 1)
    await paid_by(app, box, first)
    assert await state(order_id) == ("paid", "paid, but the order was already paid: the money is owed back", 1)
    assert (await events(order_id)).count("order.paid") == 1


async def test_two_payments_that_finish_at_once_buy_once(app, box) -> None:
    order_id, first = await offered(app.state.kit)
    second = await ask(app.state.kit, order_id)
    for payment in (first, second):
        await box.pay(payment.provider_payment_id, "finished")
    await asyncio.gather(*(look(app.state.kit, p) for p in (first, second, first, second)))
    status, cause, buys = await state(order_id)
    assert (status, buys) == ("paid", 1)
    assert "owed back" in (cause or "")
    assert (await events(order_id)).count("order.paid") == 1


async def test_one_report_applied_by_ten_at_once_has_its_effect_once(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await box.pay(payment.provider_payment_id, "finished")
    body = ipn(await report(box, payment))
    looks = [look(app.state.kit, payment) for _ in range(5)]
    await asyncio.gather(*looks, *(tell(app.state.kit, body) for _ in range(5)))
    assert await state(order_id) == ("paid", None, 1)
    assert await events(order_id) == ["order.created", "order.waiting", "payment.finished", "order.paid"]


async def test_the_same_further_deposit_told_by_ten_at_once_is_adopted_once(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await paid_by(app, box, payment)
    await box.pay(payment.provider_payment_id, "twice")
    body = (await sent_notices(box))[-1]
    await asyncio.gather(*(tell(app.state.kit, body) for _ in range(10)))
    assert len(await queries.of_order(order_id)) == 2
    assert (await events(order_id)).count("payment.parked") == 1
    assert await state(order_id) == ("paid", OWED, 1)


@pytest.mark.parametrize("case", ["expired", "failed"])
async def test_an_attempts_end_is_not_the_orders_while_another_is_open(app, box, case: str) -> None:
    order_id, first = await offered(app.state.kit)
    second = await ask(app.state.kit, order_id)
    await paid_by(app, box, first, case)
    assert await state(order_id) == ("waiting", None, 0)
    await paid_by(app, box, second)
    assert await state(order_id) == ("paid", None, 1)


@pytest.mark.parametrize(("case", "status"), [("expired", "expired"), ("failed", "failed")])
async def test_the_last_attempts_end_is_the_orders(app, box, case: str, status: str) -> None:
    order_id, first = await offered(app.state.kit)
    second = await ask(app.state.kit, order_id)
    for payment in (first, second):
        await paid_by(app, box, payment, case)
    assert await state(order_id) == (status, None, 0)


async def test_an_attempt_that_expires_does_not_take_a_paid_order_along(app, box) -> None:
    order_id, first = await offered(app.state.kit)
    second = await ask(app.state.kit, order_id)
    await paid_by(app, box, second)
    await paid_by(app, box, first, "expired")
    assert await state(order_id) == ("paid", None, 1)


async def test_too_little_waits_and_a_top_up_completes_it(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await paid_by(app, box, payment, "partially_paid", "0.6")
    missing = payment.pay_amount * Decimal("0.4")
    status, cause, _ = await state(order_id)
    assert (status, cause) == (
        "underpaid",
        f"underpaid: {missing.normalize():f} USDTTRC20 is missing ({Money(missing, 'USD')})",
    )
    await deposit(app, box, payment, "0.4")
    assert await state(order_id) == ("paid", None, 1)


async def test_two_small_top_ups_complete_it_too(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await paid_by(app, box, payment, "partially_paid", "0.5")
    await deposit(app, box, payment, "0.25")
    assert (await state(order_id))[0] == "underpaid"
    await deposit(app, box, payment, "0.25")
    assert await state(order_id) == ("paid", None, 1)


async def test_what_comes_after_a_top_up_is_owed_back(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await paid_by(app, box, payment, "partially_paid", "0.5")
    await deposit(app, box, payment, "0.5")
    await deposit(app, box, payment, "0.5")
    assert await state(order_id) == ("paid", OWED, 1)


async def test_a_top_up_with_too_much_owes_the_excess(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await paid_by(app, box, payment, "partially_paid", "0.5")
    await deposit(app, box, payment, "0.75")
    assert await state(order_id) == ("paid", "overpaid: $5.78 is owed back", 1)
    brought = sum(p.value for p in await queries.of_order(order_id))
    assert (await books.held(order_id)).amount == 0
    assert (await books.owed(order_id)).amount == brought - payment.price_amount
    assert abs(brought - payment.price_amount * Decimal("1.25")) <= Decimal("0.01")
    assert (await events(order_id))[-1] == "payment.overpaid"


async def test_a_shortfall_within_the_tolerance_counts_as_paid(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await paid_by(app, box, payment, "partially_paid", "0.995")
    assert await state(order_id) == ("paid", None, 1)


async def test_what_came_in_is_the_price_and_what_is_owed_back(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await paid_by(app, box, payment, "overpaid", "1.5")
    (found,) = await queries.of_order(order_id)
    assert found.actually_paid == found.pay_amount + found.owed_back == payment.pay_amount * Decimal("1.5")


async def late(app: Any, box: Any) -> tuple[UUID, Payment]:
    """An order whose payment expired."""
    order_id, payment = await offered(app.state.kit)
    await paid_by(app, box, payment, "expired")
    assert (await state(order_id))[0] == "expired"
    return order_id, payment


async def test_late_money_pays_while_it_can_still_be_sold(app, box) -> None:
    order_id, payment = await late(app, box)
    await paid_by(app, box, payment, "late")
    assert await state(order_id) == ("paid", None, 1)


@pytest.mark.parametrize("change", ["stock = 0", "price = price + 1", "active = false"])
async def test_late_money_for_what_can_not_be_sold_any_more_waits_for_its_customer(app, box, change: str) -> None:
    order_id, payment = await late(app, box)
    await db.fetch(f"UPDATE product SET {change}, updated_at = $1 WHERE text_keys", clock.now())
    await paid_by(app, box, payment, "late")
    assert await state(order_id) == (
        "expired",
        "paid late, and no longer sold at this price: the customer is asked",
        0,
    )
    assert (await events(order_id))[-1] == "payment.late"


async def test_late_money_that_is_too_little_waits_for_a_person(app, box) -> None:
    order_id, payment = await late(app, box)
    await paid_by(app, box, payment, "late", "0.5")
    status, cause, buys = await state(order_id)
    assert (status, buys) == ("expired", 0)
    assert (cause or "").startswith("underpaid: ")


async def test_money_for_a_cancelled_order_is_owed_back(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await orders.cancel(order_id)
    await paid_by(app, box, payment)
    assert await state(order_id) == (
        "cancelled",
        "paid, but the order was already cancelled: the money is owed back",
        0,
    )


async def test_money_on_an_attempt_whose_answer_was_lost_still_pays(app, drain, box) -> None:
    """Nobody was shown that address, yet the hosted page of its invoice may be open somewhere."""
    order_id, _ = await offered(app.state.kit)
    await box.fault("nowpayments", "error500_after_effect", count=1, path="/invoice-payment")
    await orders.ask_payment(order_id, None)
    await drain(only="payments.create", later=True)
    known = {p.provider_payment_id for p in await queries.of_order(order_id)}
    (lost,) = (p for p in await box.payments() if str(p["payment_id"]) not in known)
    await box.pay(str(lost["payment_id"]), "finished")
    await tell(app.state.kit, (await sent_notices(box))[-1])
    assert await state(order_id) == ("paid", None, 1)
    assert (await events(order_id))[-3:] == ["payment.adopted", "payment.finished", "order.paid"]
