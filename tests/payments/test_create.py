"""Asking for a payment: one that stands, however often the provider fails, or a reason why there is none."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.core import clock, db
from app.core.money import Money
from app.core.settings import settings
from app.orders import service as orders
from app.payments import coins, queries
from app.payments import service as payments
from app.payments.service import CoinNotOffered
from app.providers.http import ApiKeyRejected
from app.providers.nowpayments import NowPayments
from tests.builders import COIN, NOW, ask, count, events, job_names, offered, order, overtaken, place, report, rows

A_WHILE = timedelta(minutes=1)  # after which a process looks at the coins again
CHEAP = "slug LIKE 'glimmerhaul%'"  # less than the least that bitcoin takes


@pytest.fixture
async def unknown_coin(app) -> AsyncIterator[str]:
    """A coin that we still offer and the provider has switched off."""
    await db.fetch(
        """INSERT INTO coin (code, name, network, has_memo, position, active, minimum, updated_at)
           VALUES ('gone', 'Gone', 'gone', false, 99, true, 1, $1)""",
        clock.now(),
    )
    yield "gone"
    await db.fetch("DELETE FROM coin WHERE code = 'gone'")


async def said(order_id: UUID) -> str:
    return str(
        await db.fetch_value(
            "SELECT data->>'why' FROM event WHERE subject = $1 AND kind = $2", order_id, "payment.refused"
        )
    )


async def test_a_payment_stands_with_address_amount_end_and_hosted_page(app, box) -> None:
    order_id, payment = await offered(app.state.kit, 2)
    at_provider = await report(box, payment)
    assert (payment.attempt, payment.status, payment.pay_currency) == (1, "waiting", COIN)
    assert payment.pay_address == at_provider["pay_address"]
    assert payment.pay_amount == Decimal(str(at_provider["pay_amount"]))
    assert payment.invoice_url.endswith(payment.invoice_id)
    assert timedelta(0) < payment.expires_at - clock.now() < timedelta(days=8)
    assert payment.next_check_at > clock.now()
    assert (await order(order_id)).status == "waiting"
    assert await events(order_id) == ["order.created", "order.waiting"]


async def test_the_provider_is_told_our_price_our_order_and_where_to_call(app, box) -> None:
    order_id, payment = await offered(app.state.kit, 2)
    at_provider = await report(box, payment)
    total = (await order(order_id)).total
    assert (at_provider["price_amount"], at_provider["price_currency"]) == (float(total), "usd")
    assert at_provider["order_id"] == str(order_id)
    assert at_provider["ipn_callback_url"] == f"{settings().webhook_base_url}/webhooks/nowpayments/ipn"


async def test_a_coin_that_needs_a_memo_comes_with_one(app) -> None:
    _, payment = await offered(app.state.kit, coin="xrp")
    assert payment.memo
    assert (await offered(app.state.kit))[1].memo is None


async def test_an_order_below_the_coins_least_is_refused_before_the_provider_is_asked(app, box) -> None:
    order_id = await place(where=CHEAP, coin="btc")
    await payments.open_payment(order_id, nowpayments=app.state.kit.nowpayments, commit=NOW)
    assert await events(order_id) == ["order.created", "payment.refused"]
    assert "Bitcoin takes" in await said(order_id)
    assert (await order(order_id)).status == "created"
    assert (await count("payment"), await box.payments()) == (0, [])


async def test_after_a_refusal_another_coin_can_be_chosen(app, drain) -> None:
    order_id = await place(where=CHEAP, coin="btc")
    await drain(only="payments.create")
    await db.fetch("UPDATE customer_order SET pay_currency = 'ltc'")
    assert (await ask(app.state.kit, order_id)).pay_currency == "ltc"
    assert (await order(order_id)).status == "waiting"


async def test_a_coin_the_provider_refuses_is_said_and_the_job_is_done(app, drain, box, unknown_coin) -> None:
    order_id = await place(coin=unknown_coin)
    with clock.travelled(A_WHILE):
        assert await drain(only="payments.create") == 1
    assert await events(order_id) == ["order.created", "payment.refused"]
    assert "refused this coin" in await said(order_id)
    assert await job_names("failed") == []
    assert await box.payments() == []


async def test_a_refused_key_of_ours_blames_no_coin(app) -> None:
    order_id = await place()
    stranger = NowPayments(settings().nowpayments_base_url, "not-ours")
    with pytest.raises(ApiKeyRejected):
        await payments.open_payment(order_id, nowpayments=stranger, commit=NOW)
    await stranger.aclose()
    assert await events(order_id) == ["order.created"]


@pytest.mark.parametrize("path", ["/invoice", "/invoice-payment"])
async def test_a_provider_that_is_down_and_up_again_gives_one_payment(app, drain, box, path: str) -> None:
    order_id = await place()
    await box.fault("nowpayments", "error500", count=1, path=path)
    assert await drain(only="payments.create", later=True) == 2
    first, second = reversed(await queries.of_order(order_id))
    assert (first.status, first.provider_payment_id) == ("expired", None)
    assert (second.status, len(await box.payments())) == ("waiting", 1)
    assert await events(order_id) == ["order.created", "order.waiting"]


@pytest.mark.parametrize("mode", ["error500_after_effect", "timeout_after_effect", "html_garbage", "rate_limit"])
async def test_whatever_answer_is_lost_one_attempt_is_left_open(app, drain, box, mode: str) -> None:
    order_id = await place()
    seconds = {"seconds": 0} if mode == "timeout_after_effect" else {}
    await box.fault("nowpayments", mode, count=1, path="/invoice-payment", **seconds)
    assert await drain(only="payments.create", later=True) == 2
    assert [p.status for p in await queries.of_order(order_id)] == ["waiting", "expired"]
    assert await events(order_id) == ["order.created", "order.waiting"]


async def test_a_second_attempt_leaves_the_first_one_open_and_moves_nothing(app) -> None:
    kit = app.state.kit
    order_id, first = await offered(kit)
    second = await ask(kit, order_id)
    assert (first.attempt, second.attempt) == (1, 2)
    assert [p.status for p in await queries.of_order(order_id)] == ["waiting", "waiting"]
    assert (await order(order_id)).status == "waiting"
    assert await events(order_id) == ["order.created", "order.waiting", "payment.offered"]


@pytest.mark.parametrize(
    "status", ["confirming", "underpaid", "paid", "fulfilled", "expired", "failed", "refunded", "cancelled"]
)
async def test_nothing_is_asked_for_an_order_that_needs_no_payment(app, box, status: str) -> None:
    order_id = await place()
    await db.fetch("UPDATE customer_order SET status = $2 WHERE id = $1", order_id, status)
    before = await rows()
    await payments.open_payment(order_id, nowpayments=app.state.kit.nowpayments, commit=NOW)
    assert await rows() == before
    assert await box.payments() == []


async def test_an_order_cancelled_while_the_provider_was_asked_stays_cancelled(app) -> None:
    order_id, nowpayments = await place(), app.state.kit.nowpayments
    commit = overtaken(lambda: orders.cancel(order_id))
    await payments.open_payment(order_id, nowpayments=nowpayments, commit=commit)
    assert (await order(order_id)).status == "cancelled"
    assert [p.status for p in await queries.of_order(order_id)] == ["waiting"]


CHOICES = [(None, "5.00", None), ("LTC ", "5.00", "ltc"), ("btc", "5.24", ""), ("btc", "5.25", "btc"), ("zzz", "5", "")]


@pytest.mark.parametrize(("code", "total", "chosen"), CHOICES)
async def test_a_coin_is_chosen_by_name_or_as_the_first_that_takes_so_little(app, code, total, chosen) -> None:
    money = Money(Decimal(total), "USD")
    if chosen == "":
        with pytest.raises(CoinNotOffered):
            await payments.choose_coin(code, money)
        return
    found = await payments.choose_coin(code, money)
    assert found == (chosen or found)
    assert {c.code: c.minimum for c in await queries.coins()}[found] <= money.amount


async def test_an_order_too_small_for_any_coin_is_refused_with_the_reason(app) -> None:
    with pytest.raises(CoinNotOffered, match="too small"):
        await payments.choose_coin(None, Money(Decimal("0.10"), "USD"))


async def test_the_coins_offered_are_the_providers_with_its_minimums_and_some_room(app) -> None:
    before = await queries.coins()
    assert await coins.sync(nowpayments=app.state.kit.nowpayments) == len(before)
    assert await queries.coins() == before
    least = {c.code: c.minimum for c in before}
    assert (least["btc"], least["usdttrc20"]) == (Decimal("5.25"), Decimal("2.10"))


async def test_a_coin_the_provider_has_switched_off_is_not_offered_any_more(app, unknown_coin) -> None:
    with clock.travelled(A_WHILE):
        assert unknown_coin in [c.code for c in await queries.coins()]
    await coins.sync(nowpayments=app.state.kit.nowpayments)
    with clock.travelled(A_WHILE * 2):
        assert unknown_coin not in [c.code for c in await queries.coins()]
