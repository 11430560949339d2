"""Money that is said to be there: what goes back already, another coin, and a credit to us that is far too low."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from app.core import db
from app.core.money import Money
from app.ledger import service as ledger
from app.ledger import uses
from app.payments import accept_by_hand, handle_report, service
from app.payments.accept_by_hand import BadCredit, NotAcceptable
from app.payments.models import MerchantPayment, Payment
from app.refunds import create_for_merchants as refunds
from app.refunds import service as admins_refunds
from tests.builders import COIN, NOW, events, offered, order, rows
from tests.orders.merchants import CUSTOMER, asked, charged, merchant, payment

TWO_THIRDS = Decimal(20) / 30


def usd(amount: str) -> Money:
    return Money(Decimal(amount), "USD")


@pytest.fixture
def kit(app):
    return app.state.kit


async def opened(kit: Any) -> MerchantPayment:
    """A live payment of an order of $30."""
    made = await asked(await charged(await merchant(), "30.00", test=False, email=CUSTOMER), "crypto", currency=COIN)
    await service.open_merchant_payment(made.id, nowpayments=kit.nowpayments, commit=NOW)
    return await payment(made)


async def told(kit: Any, made: Payment, share: Decimal | int, **change: Any) -> Any:
    """The payment after the provider has said that this ``share`` of it arrived."""
    report = await kit.nowpayments.payment(made.provider_payment_id)
    paid = (made.pay_amount * share).quantize(Decimal("1e-8"))
    async with db.transaction():
        await handle_report.handle(replace(report, **{"status": "finished", "actually_paid": paid} | change))
    return await payment(made) if isinstance(made, MerchantPayment) else made


async def merchants_refund(made: MerchantPayment, amount: str) -> None:
    await refunds.create(made.merchant_id, False, made.id, Decimal(amount), "", None, "key Till 3")


async def admins_refund(made: MerchantPayment, amount: str) -> None:
    await admins_refunds.ask(made.order_id, Money(Decimal(amount), "USD"), "", "admin boss@bitloot.test")


@pytest.mark.parametrize("give_back", [merchants_refund, admins_refund])
@pytest.mark.parametrize(("amount", "missing"), [("5.00", "25"), ("20.00", "10")])
async def test_money_that_comes_after_a_part_was_refunded_is_booked_and_only_the_rest_is_missing(
    kit, give_back: Any, amount: str, missing: str
) -> None:
    made = await told(kit, await opened(kit), TWO_THIRDS, status="partially_paid")
    await give_back(made, amount)
    grown = await told(kit, made, 1, status="partially_paid")
    assert (grown.value, grown.outcome, grown.word) == (Decimal(30), "underpaid", "underpaid")
    assert (await order(made.order_id)).status == "underpaid"
    assert (await uses.funds(made.order_id)).free == Money(Decimal(missing), "USD")
    whole = await told(kit, made, (30 + Decimal(amount)) / 30, status="partially_paid")
    assert (whole.value, whole.excess, whole.word) == (30 + Decimal(amount), Decimal(0), "success")
    assert (await order(made.order_id)).status == "fulfilled"
    assert await ledger.prove() == []


async def test_another_coin_is_owed_back_as_far_as_it_is_credited_and_is_never_accepted(kit) -> None:
    credit = {"outcome_amount": Decimal("4.20"), "outcome_currency": COIN}
    made = await told(kit, await opened(kit), 50_000, pay_currency="doge", **credit)
    assert (made.outcome, made.value, made.word) == ("wrong_coin", Decimal("4.20"), "failed")
    assert (await uses.funds(made.order_id)).free == Money(Decimal("4.20"), "USD")
    before = await rows()
    with pytest.raises(NotAcceptable):
        await accept_by_hand.accept(made.id, "admin boss@bitloot.test")
    assert await rows() == before
    assert (await order(made.order_id)).status == "waiting"


async def test_another_coin_of_no_worth_that_we_can_check_is_no_debt_of_ours_and_waits_for_a_person(kit) -> None:
    payout = {"outcome_amount": Decimal("0.0002"), "outcome_currency": "btc"}
    made = await told(kit, await opened(kit), 50_000, pay_currency="doge", **payout)
    assert (made.outcome, made.value, made.word) == ("wrong_coin_unvalued", Decimal(0), "failed")
    assert made.failure == "wrong_coin"
    found, funds = await order(made.order_id), await uses.funds(made.order_id)
    assert (found.status, funds.received, funds.free.amount) == ("waiting", 0, 0)
    assert found.reasons[0].startswith("paid in DOGE instead of USDTTRC20: ")
    assert made.next_check_at is not None, "it is looked at again"
    payout = {"outcome_amount": Decimal("4.20"), "outcome_currency": COIN}
    later = await told(kit, made, 50_000, pay_currency="doge", **payout)
    assert (later.outcome, later.value, later.word) == ("wrong_coin", Decimal("4.20"), "failed")
    assert (await uses.funds(made.order_id)).free == Money(Decimal("4.20"), "USD")
    assert await ledger.prove() == []


async def test_the_customer_of_a_coin_of_unknown_worth_is_written_to_and_shown_no_address(app, kit) -> None:
    order_id, made = await offered(kit)
    await told(kit, made, 50_000, pay_currency="doge")
    letter = await db.fetch_one("SELECT context FROM mail WHERE kind = 'wrong_coin'")
    assert letter is not None
    told_of = json.loads(letter["context"])
    assert (told_of["sent"], "held" in told_of) == ("Dogecoin", False)
    assert await service.options(await order(order_id)) is None


LOW = {"outcome_amount": Decimal(1), "outcome_currency": COIN}


async def doubted(kit: Any) -> MerchantPayment:
    """A payment that brought 20, and then 10 more of which the provider credits us with next to nothing."""
    made = await told(kit, await opened(kit), TWO_THIRDS, status="partially_paid")
    for _ in range(2):
        made = await told(kit, made, 1, **LOW)
    assert (made.value, made.status, made.word) == (Decimal(20), "finished", "underpaid")
    found = await order(made.order_id)
    assert (found.status, "only 1 USDTTRC20 of 30.00 USD" in str(found.reasons)) == ("underpaid", True)
    return made


async def test_what_is_credited_too_low_after_a_part_was_paid_can_be_accepted_once(kit) -> None:
    made = await doubted(kit)
    await accept_by_hand.accept(made.id, "admin boss@bitloot.test")
    done = await payment(made)
    assert (done.value, done.outcome, done.doubted, done.word) == (Decimal(30), "paid", None, "success")
    assert (await order(made.order_id)).status == "fulfilled"
    before = await rows()
    with pytest.raises(NotAcceptable):
        await accept_by_hand.accept(made.id, "admin boss@bitloot.test")
    assert await rows() == before
    assert await ledger.prove() == []


async def test_what_is_credited_too_low_after_a_part_was_paid_can_be_refused_once_and_the_part_counts(kit) -> None:
    made = await doubted(kit)
    await accept_by_hand.count_credited(made.id, None, "admin boss@bitloot.test")
    done = await told(kit, await payment(made), 1, **LOW)
    assert (done.value, done.doubted, done.word) == (Decimal(20), None, "underpaid")
    found = await order(made.order_id)
    assert (found.status, found.reasons) == ("underpaid", []), "what was said already is said again, and no news"
    before = await rows()
    with pytest.raises(NotAcceptable):
        await accept_by_hand.count_credited(made.id, None, "admin boss@bitloot.test")
    assert await rows() == before
    assert await ledger.prove() == []


async def test_a_payment_that_is_credited_too_low_can_be_refused_and_counts_as_far_as_it_was_credited(kit) -> None:
    made = await told(kit, await opened(kit), 1, **LOW)
    assert (made.outcome, made.value) == ("settled_far_below", 0)
    before = await rows()
    for wrong in (None, usd("0"), usd("30"), usd("31"), Money(Decimal(1), "EUR")):
        with pytest.raises(BadCredit):
            await accept_by_hand.count_credited(made.id, wrong, "admin boss@bitloot.test")
    assert await rows() == before
    await accept_by_hand.count_credited(made.id, usd("1"), "admin boss@bitloot.test")
    done = await told(kit, await payment(made), 1, **LOW)
    assert (done.value, done.outcome, done.actually_paid) == (Decimal(1), "underpaid", done.pay_amount)
    found = await order(made.order_id)
    assert (found.status, found.reasons) == ("underpaid", [])
    assert (await uses.funds(made.order_id)).returnable == usd("1"), "it can be refunded"
    assert await ledger.prove() == []


async def test_the_customer_of_a_refused_payment_may_have_it_back_or_add_all_that_is_missing(kit) -> None:
    order_id, made = await offered(kit)
    await told(kit, made, 1, **LOW)
    await accept_by_hand.count_credited(made.id, usd("1"), "admin boss@bitloot.test")
    found = await order(order_id)
    options = await service.options(found)
    assert (found.status, options.held, options.missing) == ("underpaid", usd("1"), Money(found.total - 1, "USD"))
    coins = made.pay_amount * (found.total - 1) / found.total
    assert abs(Decimal(options.missing_coin) - coins) < Decimal("0.0001")
    (said,) = found.reasons
    assert said.startswith("underpaid: "), "what it was doubted for stands no more"


async def test_a_credit_that_is_put_right_later_pays_by_itself(kit) -> None:
    made = await told(kit, await doubted(kit), 1, outcome_amount=Decimal("29.80"), outcome_currency=COIN)
    assert (made.value, made.outcome, made.doubted, made.word) == (Decimal(30), "paid", None, "success")
    found = await order(made.order_id)
    assert (found.status, found.reasons) == ("fulfilled", []), "nobody has to look at it any more"


async def test_a_merchant_is_told_of_no_success_while_the_credit_is_in_doubt(kit) -> None:
    made = await told(kit, await opened(kit), 1, **LOW)
    assert (made.outcome, made.word) == ("settled_far_below", "confirming")
    assert "payment.finished" not in await events(made.order_id)
    await accept_by_hand.accept(made.id, "admin boss@bitloot.test")
    assert ((await payment(made)).word, (await events(made.order_id)).count("payment.finished")) == ("success", 1)
