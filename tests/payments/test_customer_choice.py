"""Money that has bought nothing: its customer has it back, keeps it as credit, or adds what is missing."""

import asyncio
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from app.core import clock, db
from app.core.money import Money
from app.issues.codes import IssueCode
from app.ledger import queries as books
from app.ledger import service as ledger
from app.orders import service as orders
from app.payments import queries
from app.payments import service as payments
from app.payments.models import Payment
from app.payments.service import NothingToChoose, NotThatChoice
from tests.builders import count, job_names, look, offered, order, rows


async def arrives(app: Any, box: Any, payment: Payment, case: str, fraction: str = "1.0") -> None:
    await box.pay(payment.provider_payment_id, case, fraction)
    await look(app.state.kit, payment)


async def short(app: Any, box: Any, fraction: str = "0.6") -> tuple[UUID, Payment]:
    """An order of which a part is paid."""
    order_id, payment = await offered(app.state.kit)
    await arrives(app, box, payment, "partially_paid", fraction)
    assert (await order(order_id)).status == "underpaid"
    return order_id, payment


async def market(change: str) -> None:
    await db.fetch(f"UPDATE product SET {change}, updated_at = $1 WHERE text_keys", clock.now())


async def late(app: Any, box: Any, change: str = "price = price + 5") -> tuple[UUID, Payment]:
    """An order that expired, whose market changed, and that was paid then."""
    order_id, payment = await offered(app.state.kit)
    await arrives(app, box, payment, "expired")
    await market(change)
    await arrives(app, box, payment, "late")
    return order_id, payment


async def top_up(app: Any, drain: Any, order_id: UUID, coin: str | None = None) -> Payment:
    """Choose to add what is missing; the payment that was made for it."""
    assert await payments.choose(order_id, "top_up", coin=coin) is not None
    await drain(only="payments.top_up")
    return (await queries.of_order(order_id))[0]


async def offered_now(order_id: UUID) -> Any:
    return await payments.options(await order(order_id))


async def settled(order_id: UUID) -> tuple[str, str | None, int]:
    found = await order(order_id)
    assert await ledger.prove() == []
    return found.status, " · ".join(found.reasons) or None, (await job_names()).count("fulfillment.reserve")


async def test_an_underpaid_order_says_what_is_missing_in_money_and_coin_and_writes_once(app, box) -> None:
    order_id, payment = await short(app, box)
    found = await offered_now(order_id)
    price = payment.price_amount
    assert found.held == Money(price * Decimal("0.6"), "USD")
    assert found.missing == Money(price, "USD") - found.held
    assert (Decimal(found.missing_coin), found.coin) == (payment.pay_amount * Decimal("0.4"), "usdttrc20")
    for _ in range(3):
        await look(app.state.kit, payment)
    letters = await db.fetch("SELECT context FROM mail WHERE kind = 'payment_short'")
    assert [json.loads(row["context"])["missing"] for row in letters] == [str(found.missing)]


async def test_a_top_up_of_the_shortfall_completes_the_order(app, drain, box) -> None:
    order_id, payment = await short(app, box)
    found = await offered_now(order_id)
    rest = await top_up(app, drain, order_id, "ltc")
    assert (rest.tops_up, rest.price_amount, rest.pay_currency) == (payment.id, found.missing.amount, "ltc")
    await arrives(app, box, rest, "finished")
    assert await settled(order_id) == ("paid", None, 1)
    first, last = reversed(await queries.of_order(order_id))
    assert first.value + last.value == payment.price_amount
    assert (first.outcome, last.outcome) == ("underpaid", "paid")


async def test_a_top_up_asks_at_least_the_coins_minimum_and_owes_what_is_too_much(app, drain, box) -> None:
    order_id, payment = await short(app, box, "0.95")
    rest = await top_up(app, drain, order_id)
    least = {c.code: c.minimum for c in await queries.coins()}["usdttrc20"]
    assert rest.price_amount == least > payment.price_amount * Decimal("0.05")
    await arrives(app, box, rest, "finished")
    excess = sum(p.value for p in await queries.of_order(order_id)) - payment.price_amount
    assert await settled(order_id) == ("paid", f"overpaid: ${excess} is owed back", 1)
    assert (await books.owed(order_id)).amount == excess > 0


async def test_a_top_up_that_is_short_again_or_expires_leaves_the_rest_to_be_added(app, drain, box) -> None:
    order_id, payment = await short(app, box, "0.2")
    rest = await top_up(app, drain, order_id)
    await arrives(app, box, rest, "partially_paid", "0.5")
    left = (await offered_now(order_id)).missing
    assert abs(left.amount - payment.price_amount * Decimal("0.4")) <= Decimal("0.01")
    again = await top_up(app, drain, order_id)
    await arrives(app, box, again, "expired")
    assert (await order(order_id)).status == "underpaid"
    assert (await offered_now(order_id)).missing == left
    last = await top_up(app, drain, order_id)
    await arrives(app, box, last, "finished")
    assert await settled(order_id) == ("paid", None, 1)


async def test_a_top_up_that_was_seen_and_then_failed_leaves_the_order_underpaid(app, drain, box) -> None:
    order_id, _ = await short(app, box)
    rest = await top_up(app, drain, order_id)
    await arrives(app, box, rest, "confirming")
    assert (await order(order_id)).status == "confirming"
    await arrives(app, box, rest, "failed")
    assert (await order(order_id)).status == "underpaid"


async def test_too_little_after_expiry_can_be_topped_up_too(app, drain, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await arrives(app, box, payment, "expired")
    await arrives(app, box, payment, "late", "0.5")
    status, cause, _ = await settled(order_id)
    assert (status, (cause or "").startswith("underpaid: ")) == ("expired", True)
    rest = await top_up(app, drain, order_id)
    await arrives(app, box, rest, "finished")
    assert await settled(order_id) == ("paid", None, 1)


async def test_late_money_inside_the_slippage_is_fulfilled(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await arrives(app, box, payment, "expired")
    await market("price = round(price * 1.029, 2)")
    await arrives(app, box, payment, "late")
    assert await settled(order_id) == ("paid", None, 1)


@pytest.mark.parametrize("change", ["price = round(price * 1.04, 2)", "stock = 0", "active = false"])
async def test_late_money_outside_it_waits_for_its_customer_who_is_written_to(app, box, change: str) -> None:
    order_id, payment = await late(app, box, change)
    assert await settled(order_id) == ("expired", "paid late, and no longer sold at this price: "
                                       "the customer is asked", 0)  # fmt: skip
    found, now = await offered_now(order_id), await order(order_id)
    letters = await db.fetch("SELECT kind, context FROM mail WHERE kind <> 'order_received'")
    [(kind, told)] = [(row["kind"], json.loads(row["context"])) for row in letters]
    assert kind == ("price_jump" if change.startswith("price") else "sold_out")
    assert (told["games"], told["amount"], told["late"]) == (now.items[0].name, str(found.held), True)
    assert told.get("missing") == (str(found.missing) if found.missing else None)
    assert found.held.amount == payment.price_amount
    assert (found.missing is not None) == change.startswith("price")


async def test_a_refund_is_asked_for_once_and_the_order_waits_for_nobody(app, box) -> None:
    order_id, payment = await late(app, box)
    ended = await asyncio.gather(*(payments.choose(order_id, "refund") for _ in range(5)), return_exceptions=True)
    assert sorted(type(e).__name__ for e in ended) == ["NoneType", *["NothingToChoose"] * 4]
    (job,) = await db.fetch("SELECT args, subject FROM job WHERE name = 'refunds.request'")
    said = json.loads(job["args"])
    assert said.pop("use_id")
    assert said == {
        "order_id": str(order_id), "reason": "chosen by the customer", "amount": str(payment.price_amount),
        "currency": "USD",
    }  # fmt: skip
    assert (await order(order_id)).choice == "refund"
    assert await settled(order_id) == ("expired", None, 0)


async def test_a_credit_holds_what_arrived_and_the_books_say_so(app, box) -> None:
    order_id, payment = await late(app, box, "stock = 0")
    await payments.choose(order_id, "credit")
    credit = await db.fetch_one("SELECT * FROM credit WHERE from_order = $1", order_id)
    assert credit is not None
    assert (credit["amount"], credit["email"]) == (payment.price_amount, (await order(order_id)).email)
    assert (await books.credited(order_id)).amount == payment.price_amount
    assert (await books.held(order_id)).amount == 0
    assert await settled(order_id) == ("expired", None, 0)


async def test_an_underpaid_order_turned_into_credit_has_ended(app, box) -> None:
    order_id, _ = await short(app, box)
    await payments.choose(order_id, "credit")
    assert await settled(order_id) == ("expired", None, 0)


async def test_a_top_up_of_the_difference_buys_at_todays_price(app, drain, box) -> None:
    order_id, payment = await late(app, box)
    rest = await top_up(app, drain, order_id)
    assert rest.price_amount == Decimal(5)
    await arrives(app, box, rest, "finished")
    assert await settled(order_id) == ("paid", None, 1)
    found = await order(order_id)
    assert found.total == found.items[0].unit_price == payment.price_amount + 5
    assert (await books.owed(order_id)).amount == 0


async def test_what_is_for_sale_again_is_bought_without_another_payment(app, box) -> None:
    order_id, _ = await late(app, box, "stock = 0")
    await market("stock = 50")
    assert await payments.choose(order_id, "top_up") is None
    assert await settled(order_id) == ("paid", None, 1)


async def test_what_is_sold_out_can_not_be_topped_up(app, box) -> None:
    order_id, _ = await late(app, box, "stock = 0")
    before = await rows()
    for choice in ("top_up", "", "everything"):
        with pytest.raises(NotThatChoice):
            await payments.choose(order_id, choice)
    assert await rows() == before


@pytest.mark.parametrize("choice", ["refund", "credit"])
async def test_after_a_refund_or_credit_nothing_else_can_be_chosen_and_money_buys_nothing(
    app, drain, box, choice: str
) -> None:
    order_id, _ = await late(app, box)
    rest = await top_up(app, drain, order_id)
    await payments.choose(order_id, choice)
    before = await rows()
    for other in ("refund", "credit", "top_up"):
        with pytest.raises(NothingToChoose):
            await payments.choose(order_id, other)
    assert await rows() == before
    await arrives(app, box, rest, "finished")
    found = await order(order_id)
    assert (found.status, (await job_names()).count("fulfillment.reserve")) == ("expired", 0)
    assert "given up for a refund or credit" in str(found.reasons)


async def test_refund_and_credit_chosen_at_once_end_as_one_of_the_two(app, box) -> None:
    order_id, _ = await late(app, box)
    ended = await asyncio.gather(
        *(payments.choose(order_id, c) for c in ("refund", "credit", "refund", "credit")), return_exceptions=True
    )
    assert ended.count(None) == 1
    given = (await count("credit"), await count("job", "name = 'refunds.request'"))
    assert given in {(1, 0), (0, 1)}
    assert (await order(order_id)).choice == ("credit" if given[0] else "refund")


@pytest.mark.parametrize("status", ["created", "waiting", "confirming", "paid", "fulfilled", "refunded"])
async def test_an_order_that_holds_no_idle_money_has_nothing_to_choose(app, status: str) -> None:
    order_id, _ = await offered(app.state.kit)
    await db.fetch("UPDATE customer_order SET status = $2 WHERE id = $1", order_id, status)
    before = await rows()
    with pytest.raises(NothingToChoose):
        await payments.choose(order_id, "refund")
    assert await rows() == before


async def test_a_first_deposit_in_the_wrong_coin_is_given_back_when_its_payment_has_expired(app, box) -> None:
    order_id, payment = await offered(app.state.kit)
    await arrives(app, box, payment, "wrong_coin")
    assert (await offered_now(order_id)).held.amount == payment.price_amount  # at once, not only in 20 minutes
    await arrives(app, box, payment, "expired")
    found = await offered_now(order_id)
    assert ((await order(order_id)).status, found.held.amount) == ("expired", payment.price_amount)
    await payments.choose(order_id, "refund")
    assert await settled(order_id) == ("expired", None, 0)


async def test_two_reasons_to_look_at_an_order_stand_beside_each_other(app, box) -> None:
    order_id, payment = await short(app, box)
    await box.pay(payment.provider_payment_id, "wrong_coin", "0.1")
    await look(app.state.kit, payment)
    cause = str((await order(order_id)).reasons)
    assert "underpaid: " in cause
    assert "paid in TRX instead of USDTTRC20" in cause
    await box.pay(payment.provider_payment_id, "success", "0.4")
    await look(app.state.kit, payment)
    assert (await settled(order_id))[:2] == ("paid", "paid in TRX instead of USDTTRC20: it is owed back")


@pytest.mark.parametrize("choice", ["refund", "credit"])
async def test_a_choice_drops_the_reasons_that_it_answers_and_no_other_of_money(app, box, choice: str) -> None:
    order_id, payment = await offered(app.state.kit)
    await arrives(app, box, payment, "overpaid")
    others = [
        (IssueCode.REFUND_DUE, "refund due, as nothing was delivered: sold out"),
        (IssueCode.SETTLED_LOW, "only 1 USDT of 20.00 USD is credited to us"),
        (IssueCode.PAYOUT_STUCK, "refund: its payout failed"),
    ]
    answered = [
        (IssueCode.REFUND_NOT_SENT, "$3.00 is owed back: its refund was turned down"),
        (IssueCode.UNDERPAID, "underpaid: 1 LTC is missing ($1.00)"),
    ]
    async with db.transaction():
        assert await orders.give_up(order_id, "sold out")
        for code, said in [*answered, *others[1:]]:
            await orders.open_reason(order_id, code, said)
    await payments.choose(order_id, choice)
    assert (await order(order_id)).reasons == [said for _, said in others]


async def test_money_owed_back_that_pays_the_price_after_all_is_named_no_more(app, drain, box) -> None:
    order_id, _ = await short(app, box)
    held = (await offered_now(order_id)).held
    await orders.open_reason(order_id, IssueCode.REFUND_NOT_SENT, f"{held} is owed back: its refund was turned down")
    rest = await top_up(app, drain, order_id)
    await arrives(app, box, rest, "finished")
    assert await settled(order_id) == ("paid", None, 1)
