"""What each act books: double entry, once, whoever calls how often."""

import asyncio
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import db
from app.core.ids import new_id
from app.core.money import CurrencyMismatch, Money
from app.ledger import accounts, queries, service
from app.ledger.accounts import Account
from app.orders import service as orders
from tests.builders import count, order, place, undone

A = Account


def usd(text: str) -> Money:
    return Money(Decimal(text), "USD")


async def book(order_id: UUID, *work) -> None:
    for one in work:
        async with orders.changing(order_id):
            await one


async def standing(order_id: UUID) -> dict[str, str]:
    """Every account that is not empty."""
    return {a.value: f"{n:.2f}" for a, n in (await queries.balances(order_id)).items() if n}


async def priced(total: str = "20.00") -> UUID:
    order_id = await place()
    await db.fetch("UPDATE customer_order SET total = $2, subtotal = $2 WHERE id = $1", order_id, Decimal(total))
    return order_id


async def test_the_price_goes_from_customer_to_sales(app) -> None:
    order_id = await priced()
    await book(order_id, service.receive(order_id, new_id(), usd("20.00")))
    assert await standing(order_id) == {"received": "20.00", "customer": "-20.00"}
    assert await queries.held(order_id) == usd("20.00")
    await book(order_id, service.charge(order_id, usd("20.00")))
    assert await standing(order_id) == {"received": "20.00", "sales": "-20.00"}
    assert await queries.received(order_id) == usd("20.00")
    assert await queries.owed(order_id) == usd("0.00")


async def test_what_is_more_than_the_price_is_owed(app) -> None:
    order_id = await priced()
    await book(order_id, service.receive(order_id, new_id(), usd("25.50")), service.charge(order_id, usd("20.00")))
    assert await standing(order_id) == {"received": "25.50", "sales": "-20.00", "owed": "-5.50"}
    assert await queries.owed(order_id) == usd("5.50")


async def test_a_shortfall_within_tolerance_is_written_off(app) -> None:
    order_id = await priced()
    await book(order_id, service.receive(order_id, new_id(), usd("19.80")), service.charge(order_id, usd("20.00")))
    assert await standing(order_id) == {"received": "19.80", "sales": "-20.00", "tolerance": "0.20"}


async def test_a_larger_shortfall_stays_with_the_customer_for_the_proof_to_find(app) -> None:
    order_id = await priced()
    await book(order_id, service.receive(order_id, new_id(), usd("12.00")), service.charge(order_id, usd("20.00")))
    assert await standing(order_id) == {"received": "12.00", "sales": "-20.00", "customer": "8.00"}


async def test_money_after_the_price_was_taken_is_owed(app) -> None:
    order_id, first, second = await priced(), new_id(), new_id()
    await book(order_id, service.receive(order_id, first, usd("20.00")), service.charge(order_id, usd("20.00")))
    await book(order_id, service.receive(order_id, second, usd("7.00")))
    assert await standing(order_id) == {"received": "27.00", "sales": "-20.00", "owed": "-7.00"}


async def test_money_after_the_order_was_refunded_is_owed(app) -> None:
    order_id = await priced()
    await book(
        order_id, service.receive(order_id, new_id(), usd("8.00")), service.refunded(order_id, new_id(), usd("8.00"))
    )
    await db.fetch("UPDATE customer_order SET status = 'refunded' WHERE id = $1", order_id)
    await book(order_id, service.receive(order_id, new_id(), usd("12.00")))
    assert (await queries.owed(order_id), await queries.held(order_id)) == (usd("12.00"), usd("0.00"))


async def test_a_payment_that_grows_books_only_the_difference(app) -> None:
    order_id, payment = await priced(), new_id()
    for total in ("5.00", "5.00", "12.50", "12.50"):
        await book(order_id, service.receive(order_id, payment, usd(total)))
    assert await queries.received(order_id) == usd("12.50")
    assert await count("ledger_entry") == 4  # two postings of two sides


async def test_each_act_books_once_however_often_it_is_told(app) -> None:
    order_id, payment, reservation, refund = await priced(), new_id(), new_id(), new_id()
    acts = (
        lambda: service.receive(order_id, payment, usd("30.00")),
        lambda: service.charge(order_id, usd("20.00")),
        lambda: service.supply(order_id, reservation, Decimal("14.10")),
        lambda: service.supply_back(order_id, reservation, Decimal("4.00")),
        lambda: service.refunded(order_id, refund, usd("6.00")),
        lambda: service.credited(order_id, usd("4.00")),
        lambda: service.fee(order_id, f"refund:{refund}", usd("0.30")),
    )
    for act in acts:
        await book(order_id, act(), act())
    once = await standing(order_id)
    for act in acts:
        await book(order_id, act())
    assert await standing(order_id) == once
    assert once == {
        "received": "30.00", "sales": "-20.00", "refunded": "-6.00", "credit": "-4.00",
        "supplier_cost": "10.10", "supplier_balance": "-10.10", "fees": "0.30", "provider_balance": "-0.30",
    }  # fmt: skip


async def test_twenty_callers_at_once_book_one_arrival_and_one_price(app) -> None:
    order_id, payment = await priced(), new_id()

    async def at_once(act) -> None:
        async with orders.changing(order_id):
            await act()

    await asyncio.gather(*(at_once(lambda: service.receive(order_id, payment, usd("20.00"))) for _ in range(20)))
    await asyncio.gather(*(at_once(lambda: service.charge(order_id, usd("20.00"))) for _ in range(20)))
    assert await standing(order_id) == {"received": "20.00", "sales": "-20.00"}
    assert await count("ledger_entry") == 4


async def test_money_back_comes_out_of_what_is_owed_then_held_then_earned(app) -> None:
    order_id = await priced()
    await book(order_id, service.receive(order_id, new_id(), usd("23.00")), service.charge(order_id, usd("20.00")))
    await book(order_id, service.refunded(order_id, new_id(), usd("8.00")))
    assert await standing(order_id) == {"received": "23.00", "refunded": "-8.00", "sales": "-15.00"}
    await book(order_id, service.refunded(order_id, new_id(), usd("15.00")))
    assert await standing(order_id) == {"received": "23.00", "refunded": "-23.00"}
    assert await queries.refunded(order_id) == usd("23.00")


async def test_more_than_there_was_overdraws_what_is_owed(app) -> None:
    order_id = await priced()
    await book(
        order_id, service.receive(order_id, new_id(), usd("3.00")), service.refunded(order_id, new_id(), usd("5.00"))
    )
    assert await standing(order_id) == {"received": "3.00", "refunded": "-5.00", "owed": "2.00"}


async def test_late_money_that_was_already_owed_can_still_pay_the_price(app) -> None:
    has = {A.CUSTOMER: Decimal(-5), A.OWED: Decimal(-18), A.RECEIVED: Decimal(23)}
    posting = accounts.charge(has, Decimal(20), Decimal(0))
    assert posting == {A.CUSTOMER: Decimal(5), A.SALES: Decimal(-20), A.OWED: Decimal(15), A.TOLERANCE: Decimal(0)}


async def test_what_is_rolled_back_was_never_booked(app) -> None:
    order_id = await priced()
    await undone(book(order_id, service.receive(order_id, new_id(), usd("20.00"))))
    assert await count("ledger_entry") == 0


async def test_the_sides_of_a_posting_carry_its_order_reference_and_time(app) -> None:
    order_id, payment = await priced(), new_id()
    await book(order_id, service.receive(order_id, payment, usd("20.00")))
    one, other = await queries.of_order(order_id)
    assert one.posting == other.posting
    assert {one.reference, other.reference} == {f"payment:{payment}"}
    assert one.at is not None
    assert (await order(order_id)).currency == one.currency


async def test_money_of_another_currency_than_the_orders_is_refused(app) -> None:
    order_id = await priced()
    euros = Money(Decimal(20), "EUR")
    for act in (
        service.receive(order_id, new_id(), euros),
        service.charge(order_id, euros),
        service.refunded(order_id, new_id(), euros),
    ):
        with pytest.raises(CurrencyMismatch):
            await book(order_id, act)
    assert await count("ledger_entry") == 0


AMOUNTS = st.decimals(min_value=0, max_value=5000, places=2)
BALANCES = st.fixed_dictionaries({a: AMOUNTS.map(lambda n: -n) for a in (A.CUSTOMER, A.OWED, A.SALES)})


@given(has=BALANCES, price=AMOUNTS, allowed=st.decimals(min_value=0, max_value=5, places=2))
def test_every_charge_sums_to_zero_and_leaves_only_an_unpaid_price_with_the_customer(has, price, allowed) -> None:
    posting = accounts.charge(has, price, allowed)
    assert sum(posting.values()) == 0
    left = has[A.CUSTOMER] + posting[A.CUSTOMER]
    short = price + has[A.CUSTOMER] + has[A.OWED]
    assert left == (short if short > allowed else 0)
    assert has[A.OWED] + posting[A.OWED] <= 0


@given(has=BALANCES, amount=AMOUNTS)
def test_every_refund_sums_to_zero_and_takes_no_more_than_an_account_has(has, amount) -> None:
    posting = accounts.leave(has, amount, A.REFUNDED)
    assert sum(posting.values()) == 0
    assert posting[A.REFUNDED] == -amount
    for account in (A.CUSTOMER, A.SALES):
        assert 0 <= posting[account] <= -has[account]
