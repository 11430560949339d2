"""A key is never both shown and refunded: ten thousand races on real rows, and first the race that the lock ends."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from app.core import clock, db
from app.core.ids import new_id
from app.keys import queries as key_rows
from app.keys import reveal as keys
from app.refunds import queries, service
from app.refunds.service import ReasonNeeded
from tests.builders import VISITOR, count
from tests.refunds.builders import ADMIN, fulfilled

ORDERS = 8  # raced over at the same time
MOST_HEAD_START = 30  # round trips


@pytest.fixture
def kit(app):
    return app.state.kit


async def _reveal_without_the_lock(order_id: UUID, item_id: UUID, ready: asyncio.Barrier) -> bool:
    """The reveal's own look and mark, but for the lock of ``orders.changing``."""
    async with db.transaction():
        held = await db.fetch_value("SELECT frozen_at FROM customer_order WHERE id = $1", order_id)
        locked = await key_rows.any_locked(item_id)
        await ready.wait()
        if held or locked:
            return False
        await db.fetch("UPDATE sealed_key SET revealed_at = $2 WHERE item_id = $1", item_id, clock.now())
        return True


async def _refund_without_the_lock(order_id: UUID, ready: asyncio.Barrier) -> bool:
    """The refund's own look and lock of the keys, but for the lock of ``orders.changing``."""
    async with db.transaction():
        shown = await db.fetch_value(
            "SELECT EXISTS (SELECT FROM sealed_key WHERE order_id = $1 AND revealed_at IS NOT NULL)", order_id
        )
        await ready.wait()
        if shown:
            return False
        await db.fetch("UPDATE sealed_key SET locked_at = $2 WHERE order_id = $1", order_id, clock.now())
        await db.fetch(
            """INSERT INTO refund (id, order_id, status, amount, currency, reason, asked_by, created_at)
               VALUES ($1, $2, 'pending', 1, 'USD', '', '', now())""",
            new_id(), order_id,
        )  # fmt: skip
        return True


async def test_without_the_lock_a_key_is_shown_and_refunded(kit, box) -> None:
    order_id, [item] = await fulfilled(kit, box)
    ready = asyncio.Barrier(2)
    both = await asyncio.gather(
        _reveal_without_the_lock(order_id, item.id, ready), _refund_without_the_lock(order_id, ready)
    )
    assert both == [True, True]
    assert await count("sealed_key", "revealed_at IS NOT NULL AND locked_at IS NOT NULL") == 1


async def _reveal(kit: Any, order_id: UUID, item_id: UUID) -> bool:
    try:
        await keys.reveal(order_id, item_id, VISITOR, store=kit.store)
    except keys.KeyLocked:
        return False
    return True


async def _refund(order_id: UUID, *, head_start: int) -> bool:
    """Ask for the refund after ``head_start`` round trips: the reveal opens its blob before its transaction."""
    amount = await queries.refundable(order_id)
    for _ in range(head_start):
        await db.fetch_value("SELECT 1")
    try:
        await service.ask(order_id, amount, "", ADMIN)
    except ReasonNeeded:
        return False
    return True


async def _as_before(order_id: UUID) -> None:
    """The order as it was before its race."""
    async with db.connection() as connection:
        await connection.execute(
            f"""DELETE FROM refund WHERE order_id = '{order_id}';
            DELETE FROM money_use WHERE order_id = '{order_id}' AND kind = 'refund';
            DELETE FROM job WHERE subject = '{order_id}';
            DELETE FROM mail WHERE subject = '{order_id}'; DELETE FROM link WHERE order_id = '{order_id}';
            DELETE FROM audit_line WHERE order_id = '{order_id}'; DELETE FROM event WHERE subject = '{order_id}';
            UPDATE sealed_key SET revealed_at = NULL, locked_at = NULL WHERE order_id = '{order_id}';
            UPDATE customer_order SET frozen_at = NULL WHERE id = '{order_id}'"""
        )


@pytest.mark.parametrize("count", [500, pytest.param(10_000, marks=pytest.mark.proof)])
async def test_ten_thousand_races_end_with_a_key_shown_or_refunded_never_both(kit, box, count: int) -> None:
    bought = [await fulfilled(kit, box) for _ in range(ORDERS)]
    wins = {"revealed": 0, "refunded": 0}
    races = iter(range(count))

    async def race_over(order_id: UUID, item_id: UUID) -> None:
        for _ in races:
            behind = wins["refunded"] - wins["revealed"]  # on a busy machine a reveal needs more of a start to win
            shown, back = await asyncio.gather(
                _reveal(kit, order_id, item_id), _refund(order_id, head_start=min(max(behind, 0), MOST_HEAD_START))
            )
            row = await db.fetch_one(
                """SELECT revealed_at IS NOT NULL AS shown, locked_at IS NOT NULL AS locked,
                     (SELECT count(*) FROM refund r WHERE r.order_id = k.order_id) AS refunds,
                     (SELECT count(*) FROM audit_line a
                      WHERE a.order_id = k.order_id AND a.action = 'key.revealed') AS lines
                   FROM sealed_key k WHERE order_id = $1""",
                order_id,
            )
            assert row is not None
            assert shown is not back
            assert tuple(row) == ((True, False, 0, 1) if shown else (False, True, 1, 0))
            wins["revealed" if shown else "refunded"] += 1
            await _as_before(order_id)

    await asyncio.gather(*(race_over(order_id, item.id) for order_id, [item] in bought))
    assert sum(wins.values()) == count
    assert min(wins.values()) > count / 100, wins  # both sides do win, or it was no race
