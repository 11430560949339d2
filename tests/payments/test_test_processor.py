"""Payments of test mode: asked for, ended by jobs, shown by the timeline, booked like any other."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest

from app.core import clock, db
from app.core.settings import settings
from app.ledger import queries as books
from app.ledger import service as ledger
from app.orders import merchant_orders
from app.payments import create_for_merchants, queries, service, test_processor
from app.payments.create_for_merchants import PaymentNotCancellable
from app.payments.states import Failure
from app.payments.test_processor import BadDelay, Scenario
from tests.builders import NOW, count, events, job_names, order, rows
from tests.orders.merchants import VISA, asked, charged, completed, merchant, payment

PAID = ["payment.confirming", "order.confirming", "payment.finished", "order.paid", "order.fulfilled"]
BEGUN = ["order.created", "payment.pending", "order.waiting"]


async def test_a_good_card_pays_and_fulfils_the_order(drain) -> None:
    placed = await charged(await merchant())
    made = await asked(placed)
    assert (made.word, made.value, made.method) == ("pending", 0, "card")
    await drain(later=True, only="payments.simulate")
    done, paid = await payment(made), await order(placed.id)
    assert (done.word, done.value, done.failure) == ("success", placed.total, None)
    assert (paid.status, paid.fulfillment_status) == ("fulfilled", "fulfilled")
    assert paid.paid_at is not None
    assert paid.fulfilled_at is not None
    assert await events(placed.id) == [*BEGUN, *PAID]
    assert str(await books.received(placed.id)) == "$20.00"
    assert await ledger.prove() == []
    assert await count("mail") == 0


async def test_every_step_of_a_payment_names_its_row(drain) -> None:
    placed = await charged(await merchant())
    made = await completed(drain, placed)
    named = await db.fetch(
        "SELECT data ->> 'payment_id' AS id FROM event WHERE subject = $1 AND kind LIKE 'payment.%'", placed.id
    )
    assert {row["id"] for row in named} == {str(made.id)}
    assert len(named) == 3


@pytest.mark.parametrize(
    ("method", "spec", "word", "failure", "captured"),
    [
        ("card", {"number": "5555555555554444"}, "success", None, "20.00"),
        ("card", {"number": "378282246310005", "cvv": "1234"}, "success", None, "20.00"),
        ("card", {"number": "6521111111111110"}, "success", None, "20.00"),
        ("card", {"number": "4000000000000002"}, "failed", "declined", "0.00"),
        ("card", {"number": "4000000000009995"}, "failed", "insufficient_funds", "0.00"),
        ("card", {"number": "4000000000000069"}, "failed", "expired_card", "0.00"),
        ("card", {"number": "4000000000000119"}, "failed", "processing_error", "0.00"),
        ("upi", {"vpa": "success@test"}, "success", None, "20.00"),
        ("upi", {"vpa": "Fail@Test"}, "failed", "declined", "0.00"),
        ("upi", {"vpa": "timeout@test"}, "expired", "expired", "0.00"),
        ("upi", {"vpa": "somebody@bank"}, "success", None, "20.00"),
        ("crypto", {}, "success", None, "20.00"),
        ("crypto", {"currency": "BTC"}, "success", None, "20.00"),
        ("crypto", {"metadata": {"test": "underpaid"}}, "underpaid", None, "10.00"),
        ("crypto", {"metadata": {"test": "overpaid"}}, "success", None, "30.00"),
        ("crypto", {"metadata": {"test": "expired"}}, "expired", "expired", "0.00"),
        ("crypto", {"metadata": {"test": "failed"}}, "failed", "processing_error", "0.00"),
        ("crypto", {"metadata": {"test": "something of the merchant's"}}, "success", None, "20.00"),
    ],
)
async def test_magic_values_say_how_it_ends(drain, method, spec, word, failure, captured) -> None:
    placed = await charged(await merchant())
    done = await completed(drain, placed, method, **spec)
    assert (done.word, done.failure, f"{done.value:.2f}") == (word, failure, captured)
    expected = {"success": "fulfilled", "underpaid": "underpaid"}.get(word, "waiting")
    assert (await order(placed.id)).status == expected, "an attempt's end is never the order's"
    assert str((await books.received(placed.id)).amount) == captured
    assert await ledger.prove() == []
    assert await count("issue") == await count("mail") == 0


@pytest.mark.parametrize(("number", "word"), [("4242424242424242", "success"), ("4000000000000002", "failed")])
async def test_a_payment_whose_step_was_queued_before_the_upgrade_ends_as_it_was_to(drain, number, word) -> None:
    made = await asked(await charged(await merchant()), number=number)
    assert await db.fetch(
        "UPDATE job SET args = jsonb_build_object('payment_id', args -> 'payment_id', 'play', args -> 'scenario',"
        " 'rest', args -> 'remaining_ms') WHERE name = 'payments.simulate' RETURNING id"
    )
    await drain(later=True, only="payments.simulate")
    assert (await payment(made)).word == word


async def test_every_failure_of_a_scenario_has_its_code() -> None:
    assert {scenario.value for scenario in Scenario if scenario not in test_processor.ENDS} <= {
        failure.value for failure in Failure
    }


async def test_an_orders_own_metadata_choose_its_scenario_and_a_payments_come_first(drain) -> None:
    placed = await charged(await merchant(), metadata={"test": "failed"})
    assert (await completed(drain, placed, "crypto")).word == "failed"
    assert (await completed(drain, placed, "crypto", metadata={"test": "success"})).word == "success"


async def test_what_is_missing_is_asked_for_next_and_completes_the_order(drain) -> None:
    placed = await charged(await merchant(), metadata={"test": "underpaid"})
    first = await completed(drain, placed, "crypto")
    rest = await asked(placed, "crypto", metadata={"test": "success"})
    assert (rest.price_amount, rest.tops_up) == (Decimal("10.00"), first.id)
    await drain(later=True, only="payments.simulate")
    assert (await order(placed.id)).status == "fulfilled"
    assert await ledger.prove() == []


async def test_a_second_attempt_pays_what_a_first_did_not(drain) -> None:
    placed = await charged(await merchant())
    assert (await completed(drain, placed, number="4000000000000002")).word == "failed"
    assert (await events(placed.id))[-1] == "order.payable_again"
    assert (await completed(drain, placed, "upi", vpa="success@test")).word == "success"
    assert (await order(placed.id)).status == "fulfilled"


async def test_no_card_is_charged_for_an_order_that_is_paid_or_called_off(drain) -> None:
    whose = await merchant()
    paid, gone = await charged(whose), await charged(whose)
    slow = await asked(paid, metadata={"test_delay": "600000"})
    await played_first(drain, paid)
    late = await asked(gone)
    await merchant_orders.cancel(whose, True, gone.id)
    await drain(later=True, only="payments.simulate")
    for made in (slow, late):
        done = await payment(made)
        assert (done.word, done.failure, done.value) == ("failed", "order_closed", 0)
    assert str(await books.received(paid.id)) == "$20.00"


async def played_first(drain, placed) -> None:
    """Another payment of the order, while the one before still takes its time."""
    await asked(placed, metadata={"test_delay": 0})
    await drain(only="payments.simulate")
    assert (await order(placed.id)).status == "fulfilled"


async def test_coins_for_an_order_that_is_paid_are_kept_to_be_given_back(drain) -> None:
    placed = await charged(await merchant())
    slow = await asked(placed, "crypto", metadata={"test_delay": 600_000})
    await played_first(drain, placed)
    await drain(later=True, only="payments.simulate")
    assert (await payment(slow)).value == placed.total
    assert str(await books.owed(placed.id)) == "$20.00"
    assert (await order(placed.id)).reasons == [], "nobody is asked about money that is none"
    assert await ledger.prove() == []


async def test_a_card_is_nowhere_but_its_last_four_digits_and_its_network(drain) -> None:
    card = VISA | {"number": "5105105105105100", "cvv": "918"}
    made = await completed(drain, await charged(await merchant()), **card)
    stored = str(await rows())
    assert (await db.fetch_value("SELECT details::text FROM payment")) == '{"last4": "5100", "network": "mastercard"}'
    assert made.pay_address is None
    assert "5105105105105100" not in stored
    assert "510510" not in stored
    assert '"918"' not in stored


async def test_a_vpa_is_shown_and_a_requests_metadata_are_kept(drain) -> None:
    await asked(await charged(await merchant()), "upi", vpa="name@bank", metadata={"till": "3"})
    assert (await db.fetch_value("SELECT details::text FROM payment")) == (
        '{"vpa": "name@bank", "metadata": {"till": "3"}}'
    )


async def _ends_after(made) -> tuple[float, float]:
    """Seconds from asked to seen, and to the end."""
    first = await db.fetch_one(
        "SELECT run_at, args ->> 'remaining_ms' AS remaining_ms FROM job WHERE name = 'payments.simulate'"
    )
    seen = (first["run_at"] - made.created_at).total_seconds()
    return seen, seen + int(first["remaining_ms"]) / 1000


async def test_a_payment_takes_five_to_ten_seconds(app) -> None:
    placed = await charged(await merchant())
    for _ in range(5):
        await db.fetch("DELETE FROM job")
        seen, ended = await _ends_after(await asked(placed))
        assert 1.9 < seen < ended
        assert 4.9 < ended < 10.1


async def test_the_settings_of_test_mode_say_how_long_and_how_it_ends(app, drain, monkeypatch) -> None:
    monkeypatch.setattr(settings(), "test_processing_delay", 30_000)
    placed = await charged(await merchant())
    made = await asked(placed)
    assert (await _ends_after(made))[1] < 11, "without TEST_MODE the others say nothing"
    await drain(later=True, only="payments.simulate")
    assert (await payment(made)).word == "success"

    monkeypatch.setattr(settings(), "test_mode", True)
    monkeypatch.setattr(settings(), "test_payment_success", False)
    await db.fetch("DELETE FROM job")
    placed = await charged(await merchant())
    made = await asked(placed, number="5105105105105100")
    assert 29.5 < (await _ends_after(made))[1] < 30.5
    await drain(later=True, only="payments.simulate")
    assert (await payment(made)).failure == "declined"
    assert (await completed(drain, placed, number="4242424242424242")).word == "success", "magic comes first"


@pytest.mark.parametrize("delay", ["soon", "-1", "600001", "1.5", "٣", ""])
async def test_a_delay_that_is_none_is_refused(app, delay) -> None:
    placed = await charged(await merchant())
    before = await rows()
    with pytest.raises(BadDelay) as refused:
        await asked(placed, metadata={"test_delay": delay})
    assert refused.value.field == "metadata"
    assert await rows() == before


async def test_no_provider_is_asked_about_a_payment_of_test_mode(drain) -> None:
    await completed(drain, await charged(await merchant()), "crypto", metadata={"test": "underpaid"})
    assert await count("payment", "next_check_at IS NOT NULL") == 0
    assert "payments.check" not in await job_names()


async def test_a_step_taken_twice_does_nothing_the_second_time(drain) -> None:
    placed = await charged(await merchant())
    made = await asked(placed)
    for _ in range(2):
        await test_processor.step(made.id, Scenario.SUCCESS, 0, commit=NOW)
    before = await rows()
    for scenario in Scenario:
        await test_processor.step(made.id, scenario, 0, commit=NOW)
    assert await rows() == before


async def test_a_pending_payment_is_cancelled_and_its_order_stays_payable(drain) -> None:
    placed = await charged(await merchant())
    made = await asked(placed)
    gone = await create_for_merchants.cancel(placed.merchant_id, True, made.id)
    assert (gone.word, gone.failure) == ("cancelled", "cancelled")
    await drain(later=True, only="payments.simulate")
    assert (await payment(made)).word == "cancelled"
    assert (await events(placed.id))[-1] == "payment.cancelled"
    assert (await completed(drain, placed)).word == "success"
    before = await rows()
    with pytest.raises(PaymentNotCancellable):
        await create_for_merchants.cancel(placed.merchant_id, True, made.id)
    assert await rows() == before


async def test_a_payment_that_is_cancelled_while_it_is_played_is_either_one_or_the_other(app) -> None:
    whose = await merchant()
    for _ in range(10):
        placed = await charged(whose)
        made = await asked(placed, "upi", vpa="success@test")

        async def cancel(made=made) -> None:
            with suppress(PaymentNotCancellable):
                await create_for_merchants.cancel(whose, True, made.id)

        async def end(made=made) -> None:
            for _ in range(2):
                await test_processor.step(made.id, Scenario.SUCCESS, 0, commit=NOW)

        await asyncio.gather(end(), cancel(), cancel())
        word, status = (await payment(made)).word, (await order(placed.id)).status
        assert (word, status) in {("cancelled", "waiting"), ("success", "fulfilled")}
    assert await ledger.prove() == []


async def test_ten_payments_at_once_pay_an_order_once(drain) -> None:
    placed = await charged(await merchant())
    made = await asyncio.gather(*(asked(placed, metadata={"test_delay": 0}) for _ in range(10)))
    assert sorted(row.attempt for row in made) == list(range(1, 11))
    await asyncio.gather(*(test_processor.step(row.id, Scenario.SUCCESS, 0, commit=NOW) for row in made))
    await asyncio.gather(*(test_processor.step(row.id, Scenario.SUCCESS, 0, commit=NOW) for row in made))
    words = [(await payment(row)).word for row in made]
    assert sorted(words) == ["failed"] * 9 + ["success"]
    assert str(await books.received(placed.id)) == "$20.00"
    assert (await events(placed.id)).count("order.paid") == 1


async def test_merchants_orders_are_never_forgotten_or_ended_by_time(app) -> None:
    placed = await charged(await merchant())
    await asked(placed)
    with clock.travelled(timedelta(days=30)):
        assert await queries.watched(placed.id) is False
        before = await rows()
        await service.close_forgotten()
        await service.close_unopened()
        assert await rows() == before
