"""The unit of work of a transaction about an order: its row is locked once, and its merchant told once, at the end.

Why it is made this way: docs/decisions/unit-of-work.md.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import NamedTuple
from uuid import UUID

from app.core import db
from app.orders.models import Order
from app.queue import service as jobs

_held: ContextVar[Mapping[UUID, Order] | None] = ContextVar("orders_held", default=None)


class OrderNotHeld(RuntimeError):
    """Code that needs an order's lock ran outside ``changing``: a mistake of ours."""


class Owner(NamedTuple):
    """Whose an order must be to be changed: a merchant's, in this mode."""

    merchant_id: UUID
    test: bool


@asynccontextmanager
async def changing(order_id: UUID, *, owner: Owner | None = None) -> AsyncIterator[Order | None]:
    """Open a transaction in which an order changes, or join the open one, and lock the order to the transaction's end.

    The lock is the first of every transaction about an order. At the end of the block its merchant is told what
    happened, by a job of the same transaction. A block inside another one of the same order does neither again.

    Args:
        order_id: the order; None is yielded for an unknown one.
        owner: yield None for anyone else's order, which stays unlocked.

    Yields:
        The order's row as it stands under the lock.
    """
    if order_id in _all_held():
        order = await reread(order_id)
        yield order if owner in {None, (order.merchant_id, order.test)} else None
        return
    async with db.transaction():
        locked = await _lock(order_id, owner)
        if locked is None:
            yield None
            return
        token = _held.set({**_all_held(), order_id: locked})
        try:
            yield locked
            await _publish(locked)
        finally:
            _held.reset(token)


def held(order_id: UUID) -> Order:
    """The order as it was when this transaction locked it: its owner, currency and mode never change after that.

    Raises OrderNotHeld outside ``changing``. Whatever may only be written under the order's lock calls this first.
    """
    found = _all_held().get(order_id)
    if found is None:
        raise OrderNotHeld(f"order {order_id} must be locked by orders.changing")
    return found


async def reread(order_id: UUID) -> Order:
    """The order that this transaction has locked, as it stands now. Raises OrderNotHeld outside ``changing``."""
    held(order_id)
    order = await db.fetch_one_as(Order, "SELECT * FROM customer_order WHERE id = $1", order_id)
    assert order is not None
    return order


def _all_held() -> Mapping[UUID, Order]:
    return _held.get() or {}


async def _lock(order_id: UUID, owner: Owner | None) -> Order | None:
    sql = """SELECT * FROM customer_order WHERE id = $1 AND ($2::uuid IS NULL OR merchant_id = $2 AND test = $3)
             FOR UPDATE"""
    return await db.fetch_one_as(Order, sql, order_id, *(owner or (None, None)))


async def _publish(order: Order) -> None:
    """Post the job that tells a merchant what stands in its order's timeline beyond what it was told."""
    if order.merchant_id is None:
        return
    news = await db.fetch_value(
        """SELECT EXISTS (SELECT FROM customer_order o JOIN timeline t ON t.subject = o.id
             WHERE o.id = $1 AND t.last_seq > o.published_seq)""",
        order.id,
    )
    if news:
        args, dedupe = {"order_id": str(order.id)}, f"webhooks.publish:{order.id}"
        await jobs.post("webhooks.publish", args, subject=order.id, dedupe=dedupe)
