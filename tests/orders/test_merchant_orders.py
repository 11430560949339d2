"""A merchant's orders: placed, called off, listed, and told of."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest

from app.accounts.addresses import BadEmail
from app.contract.order import Order
from app.core import clock, db
from app.core.ids import new_id
from app.core.money import Money
from app.core.structs import extend
from app.orders import merchant_orders, queries
from app.orders import service as orders
from app.orders.merchant_orders import BadCharge, NoSuchOrder, OrderNotCancellable
from tests.builders import OrderInTest, count, events, job_names, order, rows, undone
from tests.orders.merchants import CUSTOMER, asked, charged, completed, merchant


async def test_an_order_is_kept_as_it_was_asked_for_and_no_letter_leaves(app) -> None:
    whose = await merchant()
    made = await charged(whose, "19.99", email=CUSTOMER.upper(), metadata={"cart": "7"}, currency="EUR")
    assert await order(made.id) == extend(OrderInTest, made, items=[], reasons=[])
    assert msgspec.to_builtins(Order.from_row(made)) == {
        "id": str(made.id), "object": "order", "mode": "test", "status": "created", "amount": "19.99",
        "currency": "EUR", "reference": "cart 7", "customer_email": CUSTOMER, "metadata": {"cart": "7"},
        "created": Order.from_row(made).created, "paid": None, "fulfilled": None,
    }  # fmt: skip
    assert await events(made.id) == ["order.created"]
    assert await count("mail") == await count("job") == 0


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("amount", {"amount": Money(Decimal(0), "USD")}),
        ("amount", {"amount": Money(Decimal("-0.01"), "USD")}),
        ("amount", {"amount": Money(Decimal("1000000.01"), "USD")}),
        ("currency", {"amount": Money(Decimal(1), "XXX")}),
        ("currency", {"amount": Money(Decimal(1), "XXX"), "test": False}),
        ("reference", {"reference": ""}),
        ("reference", {"reference": "x" * 129}),
        ("reference", {"reference": "a\x00b"}),
        ("reference", {"reference": "a\nb"}),
        ("customer_email", {"email": "nobody"}),
        ("metadata", {"metadata": {str(n): "x" for n in range(merchant_orders.MOST_METADATA + 1)}}),
        ("metadata", {"metadata": {"": "x"}}),
        ("metadata", {"metadata": {"x": "x" * 501}}),
        ("metadata", {"metadata": {"x": "\x00"}}),
        ("metadata", {"metadata": {"x": 1}}),
    ],
)
async def test_what_cannot_be_an_order_names_its_field_and_leaves_nothing(app, field: str, change: dict) -> None:
    whose = await merchant()
    before = await rows()
    good = {"test": True, "amount": Money(Decimal(1), "USD"), "reference": "cart 7"}
    with pytest.raises((BadCharge, BadEmail)) as refused:
        await merchant_orders.create(whose, **good | change)
    assert refused.value.field == field
    assert await rows() == before


async def test_an_order_is_called_off_until_money_was_seen(drain) -> None:
    whose = await merchant()
    placed = await charged(whose)
    assert (await merchant_orders.cancel(whose, True, placed.id)).status == "cancelled"
    paid = await charged(whose)
    await completed(drain, paid)
    before = await rows()
    for order_id in (placed.id, paid.id):
        with pytest.raises(OrderNotCancellable):
            await merchant_orders.cancel(whose, True, order_id)
    assert await rows() == before


@pytest.mark.parametrize(
    ("value", "outcome"), [(0, "finished_without_money"), (0, "settled_far_below"), (5, "wrong_coin")]
)
async def test_an_order_whose_payment_may_have_brought_money_is_not_called_off(drain, value: int, outcome: str) -> None:
    whose = await merchant()
    made = await charged(whose)
    payment = await asked(made, "crypto", metadata={"test_delay": 600_000})
    sql = "UPDATE payment SET status = 'finished', value = $2, outcome = $3 WHERE id = $1"
    await db.fetch(sql, payment.id, value, outcome)
    before = await rows()
    with pytest.raises(OrderNotCancellable):
        await merchant_orders.cancel(whose, True, made.id)
    assert await rows() == before


async def test_nobody_elses_order_and_none_of_the_other_mode_is_found(app) -> None:
    whose, other = await merchant(), await merchant("Coffee House")
    placed = await charged(whose)
    before = await rows()
    for merchant_id, test, order_id in (
        (other, True, placed.id),
        (whose, False, placed.id),
        (whose, True, new_id()),
    ):
        assert await queries.of_merchant(merchant_id, test, order_id) is None
        assert await queries.merchant_page(merchant_id, test, {"order_id": order_id}, None, 10) == []
        with pytest.raises(NoSuchOrder):
            await merchant_orders.cancel(merchant_id, test, order_id)
    assert await rows() == before


async def test_a_list_goes_on_where_it_stopped_whatever_comes_meanwhile(app) -> None:
    whose = await merchant()
    made = [(await charged(whose, reference=f"cart {n}")).id for n in range(5)]
    await charged(whose, test=False)
    first = await queries.merchant_page(whose, True, {}, None, 2)
    await charged(whose, reference="new")
    rest = await queries.merchant_page(whose, True, {}, first[-1].id, 10)
    assert [row.id for row in first + rest] == made[::-1]


async def test_a_list_can_be_narrowed(app) -> None:
    whose = await merchant()
    with clock.travelled(timedelta(days=-2)):
        old = await charged(whose, reference="old")
    new = await charged(whose, reference="new", email=CUSTOMER)
    await merchant_orders.cancel(whose, True, old.id)
    yesterday = clock.now() - timedelta(days=1)
    wanted = {
        "reference": {"old": old, "new": new}, "status": {"cancelled": old, "created": new},
        "customer_email": {CUSTOMER.upper(): new}, "created_from": {yesterday: new}, "created_to": {yesterday: old},
        "order_id": {old.id: old},
    }  # fmt: skip
    for name, cases in wanted.items():
        for value, expected in cases.items():
            found = await queries.merchant_page(whose, True, {name: value}, None, 10)
            assert [row.id for row in found] == [expected.id], (name, value)


async def test_what_happens_to_an_order_its_merchant_is_told_of_in_the_same_transaction(app) -> None:
    placed = await charged(await merchant())
    await asked(placed)
    assert (await job_names()).count("webhooks.publish") == 1
    await asked(placed)
    assert (await job_names()).count("webhooks.publish") == 1, "one that waits tells of both"


async def looked_at(order_id: UUID) -> None:
    async with orders.changing(order_id):
        pass


async def test_what_did_not_happen_is_not_told(app) -> None:
    placed = await charged(await merchant())
    before = await rows()
    await undone(asked(placed))
    assert await rows() == before
    await undone(looked_at(placed.id))
    assert await rows() == before


async def test_a_look_at_an_order_whose_merchant_knows_all_posts_nothing(app) -> None:
    placed = await charged(await merchant())
    async with orders.changing(placed.id):
        await db.fetch("UPDATE customer_order SET published_seq = 1 WHERE id = $1", placed.id)
    assert await job_names() == []
