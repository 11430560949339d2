"""The proof over all orders finds one cent, wherever it is, and says so."""

from decimal import Decimal
from uuid import UUID

import pytest

from app.core import db
from app.core.ids import new_id
from app.issues.codes import IssueCode
from app.ledger import service
from app.orders.reasons import open_reason
from tests.builders import events, order, place, rows
from tests.ledger.test_booking import book, usd


async def closed(total: str = "20.00", *, received: str | None = None) -> UUID:
    """A fulfilled order with a payment and its books."""
    order_id, payment = await place(), new_id()
    value = Decimal(received or total)
    await db.fetch(
        "UPDATE customer_order SET total = $2, subtotal = $2, status = 'fulfilled' WHERE id = $1",
        order_id,
        Decimal(total),
    )
    await db.fetch(
        """INSERT INTO payment (id, order_id, provider, attempt, status, price_amount, price_currency, pay_currency,
             value, created_at, updated_at)
           VALUES ($1, $2, 'nowpayments', 1, 'finished', $3, 'USD', 'usdttrc20', $4, now(), now())""",
        payment, order_id, Decimal(total), value,
    )  # fmt: skip
    await book(order_id, service.receive(order_id, payment, usd(str(value))), service.charge(order_id, usd(total)))
    return order_id


async def test_orders_that_balance_stay_as_they_are(app) -> None:
    await closed()
    await closed("10.00", received="9.95")
    over = await closed("10.00", received="14.00")
    await book(over, service.refunded(over, new_id(), usd("4.00")))
    await place()
    before = await rows()
    assert await service.prove() == []
    assert await rows() == before


async def one_side_changed(order_id: UUID) -> None:
    await db.fetch(
        """UPDATE ledger_entry SET amount = amount + 0.01
           WHERE id = (SELECT min(id) FROM ledger_entry WHERE order_id = $1 AND account = 'received')""",
        order_id,
    )


async def one_side_gone(order_id: UUID) -> None:
    await db.fetch("DELETE FROM ledger_entry WHERE order_id = $1 AND account = 'sales'", order_id)


async def a_cent_more_arrived(order_id: UUID) -> None:
    await db.fetch("UPDATE payment SET value = value + 0.01 WHERE order_id = $1", order_id)


async def another_price(order_id: UUID) -> None:
    await db.fetch("UPDATE customer_order SET total = total - 0.01, subtotal = subtotal - 0.01 WHERE id = $1", order_id)


async def never_charged(order_id: UUID) -> None:
    await db.fetch("DELETE FROM ledger_entry WHERE order_id = $1 AND kind = 'charge'", order_id)


async def no_books_at_all(order_id: UUID) -> None:
    await db.fetch("DELETE FROM ledger_entry WHERE order_id = $1", order_id)
    await db.fetch("UPDATE payment SET value = 0 WHERE order_id = $1", order_id)


async def refunded_too_much(order_id: UUID) -> None:
    await book(order_id, service.refunded(order_id, new_id(), usd("20.01")))


@pytest.mark.parametrize(
    "harm",
    [
        one_side_changed, one_side_gone, a_cent_more_arrived, another_price, never_charged, no_books_at_all,
        refunded_too_much,
    ],
    ids=lambda harm: harm.__name__,
)  # fmt: skip
async def test_one_wrong_cent_is_found_and_its_order_parked(app, harm) -> None:
    right, wrong = await closed(), await closed()
    await harm(wrong)
    found = await service.prove()
    assert {one.order_id for one in found} == {wrong}
    assert all(one.amount for one in found)
    assert (await order(wrong)).reasons[0].startswith("ledger: off by ")
    assert (await order(right)).reasons == []
    assert (await events(wrong))[-1] == "ledger.differs"


async def test_a_second_proof_says_nothing_new_of_the_same_difference(app) -> None:
    wrong = await closed()
    await a_cent_more_arrived(wrong)
    await service.prove()
    before = await rows()
    assert len(await service.prove()) == 1
    assert await rows() == before


async def test_an_order_put_right_again_goes_back_to_what_it_waited_for(app) -> None:
    wrong = await closed()
    await open_reason(wrong, IssueCode.FURTHER_DEPOSIT, "paid twice")
    await a_cent_more_arrived(wrong)
    await service.prove()
    before, found = (await order(wrong)).reasons
    assert (before, found.startswith("ledger: ")) == ("paid twice", True)
    await db.fetch("UPDATE payment SET value = value - 0.01 WHERE order_id = $1", wrong)
    assert await service.prove() == []
    assert (await order(wrong)).reasons == ["paid twice"]
    assert (await events(wrong))[-1] == "ledger.balanced"


async def test_money_that_waits_for_a_choice_is_no_difference_until_the_order_is_closed(app) -> None:
    order_id, payment = await place(), new_id()
    await db.fetch(
        """INSERT INTO payment (id, order_id, provider, attempt, status, price_amount, price_currency, pay_currency,
             value, created_at, updated_at)
           VALUES ($1, $2, 'nowpayments', 1, 'partially_paid', 20, 'USD', 'usdttrc20', 8, now(), now())""",
        payment, order_id,
    )  # fmt: skip
    await book(order_id, service.receive(order_id, payment, usd("8.00")))
    for status in ("underpaid", "expired"):
        await db.fetch("UPDATE customer_order SET status = $2 WHERE id = $1", order_id, status)
        assert await service.prove() == []
    await db.fetch("UPDATE customer_order SET status = 'refunded' WHERE id = $1", order_id)
    [found] = await service.prove()
    assert found.why == "money is left that is neither earned nor owed"
