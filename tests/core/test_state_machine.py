"""State machines: only the moves of the design exist, whatever is tried and however many try at once."""

import asyncio
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from piccolo.table import Table

from app.core import clock, db
from app.core.state_machine import Moves, move
from app.fulfillment.states import MOVES as RESERVATION_MOVES
from app.fulfillment.states import ReservationStatus
from app.fulfillment.tables import Reservation
from app.orders.states import FULFILLMENT_MOVES, FulfillmentStatus, OrderStatus
from app.orders.states import MOVES as ORDER_MOVES
from app.orders.tables import Order
from app.payments.states import MOVES as PAYMENT_MOVES
from app.payments.states import PaymentStatus
from app.payments.tables import Payment
from app.queue.states import MOVES as JOB_MOVES
from app.queue.states import JobStatus
from app.queue.tables import Job
from app.refunds.states import MOVES as REFUND_MOVES
from app.refunds.states import RefundStatus
from app.refunds.tables import Refund
from tests.builders import ask, order, paid, place, rows

# The moves of design.md, "States", written down a second time; a notice may skip states on the way (nowpayments.md, 5),
# and a merchant's order outlives its attempts.
ORDER = """created>waiting waiting>confirming confirming>paid paid>fulfilled waiting>paid waiting>underpaid
    confirming>underpaid underpaid>confirming underpaid>paid created>expired waiting>expired underpaid>expired
    expired>paid waiting>failed confirming>failed paid>failed paid>refunded fulfilled>refunded underpaid>refunded
    failed>refunded created>cancelled waiting>cancelled expired>refunded cancelled>refunded confirming>waiting"""
FULFILLMENT = "pending>processing processing>fulfilled processing>failed failed>processing"
RESERVATION = """requested>reserved reserved>ready ready>delivered requested>out_of_stock reserved>out_of_stock
    requested>cancelled reserved>cancelled requested>refunded reserved>refunded out_of_stock>requested
    ready>cancelled ready>refunded"""
JOB = "pending>processing processing>completed processing>failed processing>pending failed>pending"
PAYMENT = """waiting>confirming waiting>confirmed waiting>sending waiting>partially_paid waiting>finished waiting>failed
    waiting>expired waiting>refunded confirming>confirmed confirming>sending confirming>partially_paid
    confirming>finished confirming>failed confirming>refunded confirmed>sending confirmed>partially_paid
    confirmed>finished confirmed>failed confirmed>refunded sending>partially_paid sending>finished sending>failed
    sending>refunded partially_paid>finished partially_paid>refunded expired>confirming expired>confirmed
    expired>sending expired>partially_paid expired>finished expired>refunded failed>refunded failed>finished
    failed>partially_paid
    finished>refunded"""

REFUND = "pending>processing processing>processed processing>failed failed>pending"

MACHINES: dict[str, tuple[type[Table], str, type[StrEnum], Moves[Any], str]] = {
    "order": (Order, "status", OrderStatus, ORDER_MOVES, ORDER),
    "fulfillment": (Order, "fulfillment_status", FulfillmentStatus, FULFILLMENT_MOVES, FULFILLMENT),
    "reservation": (Reservation, "status", ReservationStatus, RESERVATION_MOVES, RESERVATION),
    "job": (Job, "status", JobStatus, JOB_MOVES, JOB),
    "payment": (Payment, "status", PaymentStatus, PAYMENT_MOVES, PAYMENT),
    "refund": (Refund, "status", RefundStatus, REFUND_MOVES, REFUND),
}
named = pytest.mark.parametrize("name", MACHINES)


def allowed(text: str) -> set[tuple[str, ...]]:
    return {tuple(pair.split(">")) for pair in text.split()}


@named
def test_a_room_has_the_moves_of_the_design_and_no_others(name: str) -> None:
    _, _, states, moves, text = MACHINES[name]
    assert {(a, b) for a in states for b in states if moves.allows(a, b)} == allowed(text)


@named
def test_the_sources_of_a_state_are_those_it_may_be_reached_from(name: str) -> None:
    _, _, states, moves, _ = MACHINES[name]
    for target in states:
        assert set(moves.sources(target)) == {s for s in states if moves.allows(s, target)}


@pytest.fixture
async def row(app, box, name: str) -> Any:
    """The id of one row of the machine's table."""
    order_id, items = await paid(app.state.kit, box)
    table = MACHINES[name][0]
    if table is Reservation:
        await db.fetch(
            """INSERT INTO reservation (id, order_id, item_id, status, quantity, price_limit, created_at, updated_at)
               VALUES ($1, $1, $2, 'requested', 1, 9, $3, $3)""",
            order_id, items[0].id, clock.now(),
        )  # fmt: skip
    if table is Refund:
        await db.fetch(
            """INSERT INTO refund (id, order_id, status, amount, currency, reason, asked_by, created_at)
               VALUES ($1, $1, 'pending', 1, 'USD', '', '', $2)""",
            order_id, clock.now(),
        )  # fmt: skip
    return await db.fetch_value(f"SELECT id FROM {table._meta.tablename} LIMIT 1")


async def state_of(name: str, row_id: Any) -> str:
    table, column = MACHINES[name][:2]
    return str(await db.fetch_value(f"SELECT {column} FROM {table._meta.tablename} WHERE id = $1", row_id))


async def put(name: str, row_id: Any, state: str) -> None:
    table, column = MACHINES[name][:2]
    await db.fetch(f"UPDATE {table._meta.tablename} SET {column} = $2 WHERE id = $1", row_id, state)


@named
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_a_random_walk_never_leaves_the_table(name: str, row: Any, data: st.DataObject) -> None:
    table, column, states, moves, text = MACHINES[name]
    here = data.draw(st.sampled_from(list(states)))
    await put(name, row, here)
    for target in data.draw(st.lists(st.sampled_from(list(states)), min_size=5, max_size=12)):
        moved = await move(table, row, target, moves, column=column)
        assert (moved is not None) == ((here, target) in allowed(text))
        here = target if moved else here
        assert await state_of(name, row) == here


async def test_a_refused_move_changes_nothing_also_not_what_came_with_it(app) -> None:
    order_id = await place()
    before = await rows()
    for target in (OrderStatus.PAID, OrderStatus.FULFILLED, OrderStatus.CREATED, OrderStatus.REFUNDED):
        assert await move(Order, order_id, target, ORDER_MOVES, also={Order.choice: "never"}) is None
    assert await rows() == before


async def test_a_move_returns_the_row_as_it_is_afterwards(app) -> None:
    order_id = await place()
    moved = await move(Order, order_id, OrderStatus.WAITING, ORDER_MOVES, also={Order.choice: "refund"})
    assert moved is not None
    assert (moved["id"], moved["status"], moved["choice"]) == (order_id, "waiting", "refund")
    assert moved["total"] == (await order(order_id)).total


async def test_a_move_touches_one_row_only(app) -> None:
    first, second = await place(), await place()
    await move(Order, first, OrderStatus.CANCELLED, ORDER_MOVES)
    assert (await order(second)).status == "created"


@pytest.mark.parametrize("rivals", [("cancelled", "failed"), ("paid", "cancelled"), ("expired", "cancelled")])
async def test_of_two_moves_at_once_exactly_one_wins(app, rivals: tuple[str, str]) -> None:
    kit = app.state.kit
    order_id = await place()
    await ask(kit, order_id)
    for _ in range(10):
        await put("order", order_id, "waiting")
        ended = await asyncio.gather(
            *(move(Order, order_id, OrderStatus(to), ORDER_MOVES) for to in rivals for _ in range(4))
        )
        winners = [row["status"] for row in ended if row]
        assert winners == [await state_of("order", order_id)]
