"""Live payments of merchants: opened at NOWPayments for the very row that was answered, and never their order's end."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.core import clock, db
from app.core.ids import new_id
from app.core.settings import settings
from app.ledger import queries as books
from app.ledger import service as ledger
from app.orders import merchant_orders
from app.orders.models import Order
from app.payments import api_status, create_for_merchants, customer_choice, queries, service
from app.payments.cards import BadCard, BadVpa
from app.payments.classify import Outcome
from app.payments.create import CoinNotOffered
from app.payments.create_for_merchants import MethodNotOffered, NoSuchPayment, OrderNotPayable
from app.payments.models import MerchantPayment
from app.payments.states import PaymentStatus
from app.providers.http import ApiKeyRejected
from app.providers.nowpayments import NowPayments
from tests.builders import COIN, NOW, count, events, job_names, look, order, report, rows, sent_notices, tell
from tests.orders.merchants import CUSTOMER, VISA, asked, charged, merchant, payment, told_payment


@pytest.fixture
def kit(app):
    return app.state.kit


async def opened(kit: Any, amount: str = "20.00", **more: Any) -> tuple[Order, MerchantPayment]:
    """A live order and its payment, which stands at the provider."""
    placed = await charged(await merchant(), amount, test=False, email=CUSTOMER, **more)
    return placed, await again(kit, placed)


async def again(kit: Any, placed: Order, coin: str = COIN) -> MerchantPayment:
    """A further payment of the order, which stands at the provider."""
    made = await asked(placed, "crypto", currency=coin)
    await service.open_merchant_payment(made.id, nowpayments=kit.nowpayments, commit=NOW)
    return await payment(made)


async def paid(kit: Any, box: Any, made: MerchantPayment, case: str = "finished", fraction: str = "1.0") -> str:
    """Pay at the provider and look; the word of the payment then."""
    await box.pay(made.provider_payment_id, case, fraction)
    await look(kit, made)
    return str((await payment(made)).word)


async def test_the_row_that_was_answered_gets_the_address(app, box, drain) -> None:
    placed = await charged(await merchant("Tea House", "https://tea.example"), test=False)
    made = await asked(placed, "crypto", currency=COIN.upper())
    assert (made.word, made.pay_address, made.provider_payment_id) == ("pending", None, None)
    assert await job_names() == ["payments.create_for_merchant", "webhooks.publish"]
    await drain(only="payments.create_for_merchant")
    found = await payment(made)
    at_provider = await report(box, found)
    assert (found.id, found.word, found.attempt) == (made.id, "pending", 1)
    assert found.pay_address == at_provider["pay_address"]
    assert found.pay_amount == Decimal(str(at_provider["pay_amount"]))
    assert found.next_check_at > clock.now()
    assert await events(placed.id) == ["order.created", "payment.pending", "order.waiting", "payment.offered"]
    assert len(await box.payments()) == 1


async def test_a_payment_is_opened_once_however_often_its_job_runs(kit, box) -> None:
    _, made = await opened(kit)
    before = await rows()
    await service.open_merchant_payment(made.id, nowpayments=kit.nowpayments, commit=NOW)
    assert await rows() == before
    assert len(await box.payments()) == 1


async def test_a_provider_that_is_down_and_up_again_opens_the_same_row(app, box, drain) -> None:
    placed = await charged(await merchant(), test=False)
    made = await asked(placed, "crypto", currency=COIN)
    await box.fault("nowpayments", "error500", count=1, path="/invoice-payment")
    assert await drain(only="payments.create_for_merchant", later=True) == 2
    assert await count("payment") == 1
    assert (await payment(made)).pay_address is not None


async def test_coins_pay_and_fulfil_an_order_and_nothing_is_bought_or_mailed(kit, box) -> None:
    placed, made = await opened(kit)
    assert await paid(kit, box, made) == "success"
    done = await order(placed.id)
    assert (done.status, done.fulfillment_status, done.reasons) == ("fulfilled", "fulfilled", [])
    assert await count("mail") == await count("reservation") == 0
    assert not [name for name in await job_names() if name.startswith(("fulfillment", "mail"))]
    assert str(await books.received(placed.id)) == "$20.00"
    assert await ledger.prove() == []


async def test_a_coin_that_the_provider_refuses_ends_the_payment_and_never_the_order(kit, drain, box) -> None:
    placed = await charged(await merchant(), test=False)
    made = await asked(placed, "crypto", currency=COIN)
    await db.fetch("UPDATE payment SET pay_currency = 'nosuchcoin'")
    assert await drain(only="payments.create_for_merchant") == 1
    done = await payment(made)
    assert (done.word, done.failure) == ("failed", "coin_refused")
    assert (await events(placed.id))[-1] == "payment.failed"
    assert (await order(placed.id)).status == "waiting"
    assert await job_names("failed") == []
    assert (await again(kit, placed)).pay_address is not None


async def test_a_refused_key_of_ours_blames_no_coin(app) -> None:
    placed = await charged(await merchant(), test=False)
    made = await asked(placed, "crypto", currency=COIN)
    before = await rows()
    stranger = NowPayments(settings().nowpayments_base_url, "not-ours")
    with pytest.raises(ApiKeyRejected):
        await service.open_merchant_payment(made.id, nowpayments=stranger, commit=NOW)
    await stranger.aclose()
    assert await rows() == before


@pytest.mark.parametrize(("case", "word"), [("expired", "expired"), ("failed", "failed")])
async def test_an_attempts_end_leaves_the_order_payable(kit, box, case: str, word: str) -> None:
    placed, made = await opened(kit)
    assert await paid(kit, box, made, case) == word
    assert (await order(placed.id)).status == "waiting"
    assert await paid(kit, box, await again(kit, placed)) == "success"
    assert (await order(placed.id)).status == "fulfilled"


async def test_an_attempt_that_was_seen_and_failed_leaves_the_order_waiting_again(kit, box) -> None:
    placed, made = await opened(kit)
    await box.pay(made.provider_payment_id, "confirming")
    await look(kit, made)
    assert (await order(placed.id)).status == "confirming"
    await box.pay(made.provider_payment_id, "failed")
    await look(kit, made)
    assert (await order(placed.id)).status == "waiting"
    assert (await payment(made)).failure == "processing_error"
    assert "order.payable_again" in await events(placed.id)


async def test_money_for_a_cancelled_payment_is_seen_and_pays_its_order(kit, box) -> None:
    placed, made = await opened(kit)
    gone = await create_for_merchants.cancel(placed.merchant_id, False, made.id)
    assert (gone.word, gone.next_check_at is not None) == ("cancelled", True)
    with clock.travelled(timedelta(hours=5)):
        assert await paid(kit, box, made) == "success"
    assert (await order(placed.id)).status == "fulfilled"
    assert (await payment(made)).failure is None
    assert await ledger.prove() == []


async def test_late_money_pays_as_the_price_stands_and_nobody_is_asked(kit, box) -> None:
    placed, made = await opened(kit)
    assert await paid(kit, box, made, "expired") == "expired"
    with clock.travelled(timedelta(days=3)):
        await box.pay(made.provider_payment_id, "finished")
        await look(kit, made)
    assert ((await order(placed.id)).status, await count("mail")) == ("fulfilled", 0)


async def test_part_of_the_price_waits_for_the_rest_days_later_in_another_coin(kit, box) -> None:
    placed, made = await opened(kit)
    assert await paid(kit, box, made, "partially_paid", "0.4") == "underpaid"
    short = await order(placed.id)
    assert (short.status, short.reasons, await count("mail")) == ("underpaid", [], 0)
    with clock.travelled(timedelta(days=2)):
        rest = await again(kit, placed, "ltc")
        assert (rest.price_amount, rest.tops_up) == (Decimal("12.00"), made.id)
        assert await paid(kit, box, rest) == "success"
    assert (await order(placed.id)).status == "fulfilled"
    assert str(await books.received(placed.id)) == "$20.00"
    assert await ledger.prove() == []


async def test_money_for_an_order_that_was_called_off_waits_to_be_given_back(kit, box) -> None:
    placed, made = await opened(kit)
    await merchant_orders.cancel(placed.merchant_id, False, placed.id)
    await paid(kit, box, made)
    found = await order(placed.id)
    assert found.status == "cancelled"
    assert len(found.reasons) == 1, "live money that nobody waits for is looked at"
    assert (await payment(made)).value == placed.total
    assert await customer_choice.options(found) is None, "its customer is asked nothing by us"
    assert await count("mail") == 0


async def test_a_payment_of_an_order_that_was_called_off_is_not_opened(kit, box) -> None:
    placed = await charged(await merchant(), test=False)
    made = await asked(placed, "crypto", currency=COIN)
    await merchant_orders.cancel(placed.merchant_id, False, placed.id)
    await service.open_merchant_payment(made.id, nowpayments=kit.nowpayments, commit=NOW)
    assert ((await payment(made)).failure, await box.payments()) == ("order_closed", [])


async def test_a_payment_that_nobody_could_open_ends_after_a_day_and_not_before(app) -> None:
    placed = await charged(await merchant(), test=False)
    made = await asked(placed, "crypto", currency=COIN)
    with clock.travelled(timedelta(days=2)):
        assert await service.close_unopened() == 0, "its job is still at it"
        await db.fetch("UPDATE job SET name = 'payments.open' WHERE name = 'payments.create_for_merchant'")
        assert await service.close_unopened() == 0, "its job of before the upgrade is still at it"
        await db.fetch("UPDATE job SET name = 'payments.create_for_merchant' WHERE name = 'payments.open'")
    await db.fetch("UPDATE job SET status = 'failed' WHERE name = 'payments.create_for_merchant'")
    assert await service.close_unopened() == 0
    with clock.travelled(timedelta(days=2)):
        assert await service.close_unopened() == 1
    assert (await payment(made)).word == "expired"
    assert (await order(placed.id)).status == "waiting"
    assert (await events(placed.id))[-1] == "payment.expired"


@pytest.mark.parametrize(
    ("method", "spec", "refusal", "field"),
    [
        ("card", VISA, MethodNotOffered, "method"), ("upi", {"vpa": "success@test"}, MethodNotOffered, "method"),
        ("cash", {}, MethodNotOffered, "method"), ("", {}, MethodNotOffered, "method"),
        ("crypto", {"currency": "nosuchcoin"}, CoinNotOffered, "currency"),
        ("crypto", {"currency": 7}, CoinNotOffered, "currency"),
        ("crypto", {"currency": "btc"}, CoinNotOffered, "currency"),  # five dollars are the least in it
        ("crypto", {"metadata": {"a": "\x00"}}, merchant_orders.BadCharge, "metadata"),
    ],
)  # fmt: skip
async def test_what_a_live_key_cannot_ask_for_leaves_nothing(app, box, method, spec, refusal, field) -> None:
    placed = await charged(await merchant(), "3.00", test=False)
    before = await rows()
    with pytest.raises(refusal) as refused:
        await create_for_merchants.create(placed, method, spec)
    assert refused.value.field == field
    assert await rows() == before
    assert await box.payments() == []


@pytest.mark.parametrize(
    ("method", "spec", "refusal", "field"),
    [
        ("card", VISA | {"number": "4242424242424241"}, BadCard, "number"), ("card", {}, BadCard, "number"),
        ("upi", {}, BadVpa, "vpa"), ("upi", {"vpa": "x"}, BadVpa, "vpa"),
        ("crypto", {"currency": "nosuchcoin"}, CoinNotOffered, "currency"),
    ],
)  # fmt: skip
async def test_what_cannot_be_played_leaves_nothing(app, method, spec, refusal, field) -> None:
    placed = await charged(await merchant())
    before = await rows()
    with pytest.raises(refusal) as refused:
        await create_for_merchants.create(placed, method, spec)
    assert refused.value.field == field
    assert await rows() == before


async def test_an_order_that_needs_no_money_takes_no_payment(kit, box) -> None:
    placed, made = await opened(kit)
    await paid(kit, box, made)
    gone = await charged(placed.merchant_id, test=False)
    await merchant_orders.cancel(placed.merchant_id, False, gone.id)
    before = await rows()
    for closed in (placed, gone):
        with pytest.raises(OrderNotPayable) as refused:
            await asked(closed, "crypto", currency=COIN)
        assert refused.value.field == "order_id"
    assert await rows() == before


async def test_an_order_takes_so_many_attempts_and_no_more(app, monkeypatch) -> None:
    monkeypatch.setattr(create_for_merchants, "MOST_ATTEMPTS", 3)
    placed = await charged(await merchant())
    made = await asyncio.gather(*(asked(placed) for _ in range(6)), return_exceptions=True)
    assert sum(isinstance(one, OrderNotPayable) for one in made) == 3
    assert await count("payment") == 3


async def test_nobody_elses_payment_is_found_or_cancelled(kit) -> None:
    placed, made = await opened(kit)
    whose, other = placed.merchant_id, await merchant("Coffee House")
    before = await rows()
    for merchant_id, test, payment_id in (
        (other, False, made.id), (whose, True, made.id), (whose, False, new_id()),
    ):  # fmt: skip
        assert await queries.of_merchant(merchant_id, test, payment_id) is None
        assert await queries.merchant_page(merchant_id, test, {"payment_id": payment_id}, None, 10) == []
        with pytest.raises(NoSuchPayment):
            await create_for_merchants.cancel(merchant_id, test, payment_id)
    assert await rows() == before


async def test_a_list_of_payments_can_be_narrowed_and_goes_on(app, drain) -> None:
    whose = await merchant()
    first = await charged(whose, reference="first", email=CUSTOMER)
    card, upi, coin = (
        await asked(first), await asked(first, "upi", vpa="fail@test"), await asked(await charged(whose), "crypto"),
    )  # fmt: skip
    await drain(later=True, only="payments.simulate")
    wanted = {
        "method": {"card": [card], "upi": [upi]}, "status": {"success": [coin, card], "failed": [upi], "pending": []},
        "order_id": {first.id: [upi, card]}, "reference": {"first": [upi, card]}, "payment_id": {upi.id: [upi]},
        "customer_email": {CUSTOMER: [upi, card]}, "created_from": {clock.now(): []},
        "created_to": {clock.now(): [coin, upi, card]},
    }  # fmt: skip
    for name, cases in wanted.items():
        for value, expected in cases.items():
            found = await queries.merchant_page(whose, True, {name: value}, None, 10)
            assert [row.id for row in found] == [row.id for row in expected], (name, value)
    page = await queries.merchant_page(whose, True, {}, None, 2)
    assert [row.id for row in page] == [coin.id, upi.id]
    assert [r.id for r in await queries.merchant_page(whose, True, {}, upi.id, 2)] == [card.id]


async def test_tables_and_objects_say_the_same_word_for_every_state(app) -> None:
    made = await asked(await charged(await merchant()))
    for status in PaymentStatus:
        for outcome in ("cancelled", None, *Outcome):
            for value in ("0", "20.00"):
                sql = "UPDATE payment SET status = $1, outcome = $2, value = $3"
                await db.fetch(sql, status.value, outcome, Decimal(value))
                found = await payment(made)
                assert found.word == api_status.word(found) == told_payment(found)["status"]


async def test_money_in_another_coin_is_no_success_whatever_the_provider_calls_it(kit, box) -> None:
    placed, made = await opened(kit)
    await box.pay(made.provider_payment_id, "wrong_coin")
    for notice in await sent_notices(box):
        await tell(kit, notice)
    found = await order(placed.id)
    [child] = await queries.merchant_page(placed.merchant_id, False, {"status": "failed"}, None, 10)
    assert (found.status, found.paid_at) == ("waiting", None)
    assert found.reasons[0].startswith("paid in")
    assert (child.failure, child.value > 0) == ("wrong_coin", True), "it can go back"
    assert (await payment(made)).word == "pending", "and the right coin can still come"
    told = await events(placed.id)
    assert "payment.finished" not in told
    assert told.count("payment.failed") == 1
    assert await ledger.prove() == []


async def test_a_payment_called_paid_without_money_is_not_told_as_a_success(kit, box) -> None:
    placed, made = await opened(kit)
    assert await paid(kit, box, made, "zero") == "confirming"
    assert (await order(placed.id)).status == "waiting"
    assert "payment.finished" not in await events(placed.id)


@pytest.mark.parametrize(
    ("currency", "amount"), [("JPY", "5000"), ("KWD", "12.345"), ("EUR", "20.00"), ("INR", "900.50")]
)
async def test_a_live_order_may_be_in_any_currency_that_test_mode_takes(
    app, kit, box, currency: str, amount: str
) -> None:
    placed, made = await opened(kit, amount, currency=currency)
    at_provider = await report(box, made)
    assert (at_provider["price_currency"], Decimal(str(at_provider["price_amount"]))) == (
        currency.lower(), Decimal(amount),
    )  # fmt: skip
    assert await paid(kit, box, made) == "success"
    shown = told_payment(await payment(made))
    assert (shown["captured"], shown["excess"], shown["overpaid"]) == (amount, shown["refunded"], False)
    assert (await order(placed.id)).status == "fulfilled"
    assert await db.fetch_value("SELECT sum(amount) FROM ledger_entry") == 0


async def rate_of(currency: str, rate: str) -> None:
    """What a euro is worth today."""
    await db.fetch(
        """INSERT INTO exchange_rate (id, currency, day, rate, fetched_at)
           VALUES (gen_random_uuid(), $1, $2, $3, now())
           ON CONFLICT (currency, day) DO UPDATE SET rate = excluded.rate""",
        currency, clock.now().date(), Decimal(rate),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("currency", "amount", "fraction", "word"),
    [
        ("JPY", "7500", "0.995", "success"),  # 38 of 75 that may be missing
        ("JPY", "15000", "0.994", "underpaid"),  # 90 of 75
        ("JPY", "400", "0.98", "underpaid"),  # 8 of 75, but more than a hundredth
        ("KWD", "100", "0.997", "underpaid"),  # 0.300 of 0.153
        ("KWD", "100", "0.9986", "success"),  # 0.140 of 0.153
    ],
)
async def test_what_may_be_missing_is_worth_the_same_in_every_currency(
    app, box, currency: str, amount: str, fraction: str, word: str
) -> None:
    for code, rate in (("USD", "1.10"), ("JPY", "165"), ("KWD", "0.338")):
        await rate_of(code, rate)
    placed, made = await opened(app.state.kit, amount, currency=currency)
    assert await paid(app.state.kit, box, made, "partially_paid", fraction) == word
    assert await ledger.prove() == []
    assert (await order(placed.id)).status == ("fulfilled" if word == "success" else "underpaid")


@pytest.mark.parametrize("currency", ["JPY", "INR"])
async def test_a_coins_minimum_holds_in_every_currency_that_has_a_rate(app, kit, currency: str) -> None:
    """Five dollars are the least in BTC, whatever the order's currency is; 50 JPY are a third of one."""
    placed = await charged(await merchant(), "50", test=False, currency=currency)
    before = await rows()
    with pytest.raises(CoinNotOffered, match=r"takes .* or more"):
        await asked(placed, "crypto", currency="btc")
    assert await rows() == before
