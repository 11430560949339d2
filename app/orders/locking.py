"""The order's lock, the first of every transaction about an order; a merchant is told of what happens under it."""

from collections.abc import Sequence
from uuid import UUID

from app.core import db
from app.orders.models import Order
from app.queue import service as jobs


async def lock(order_id: UUID) -> Order | None:
    """The order's row, locked to the end of the transaction: the first lock of every transaction about an order.

    What happens in it to a merchant's order, the merchant is told of by a job of the same transaction.
    """
    order = await db.fetch_one_as(Order, "SELECT * FROM customer_order WHERE id = $1 FOR UPDATE", order_id)
    if order is not None and order.merchant_id is not None:
        await db.before_commit(_publish, order_id)
    return order


async def lock_of(merchant_id: UUID, test: bool, order_id: UUID) -> Order | None:
    """Like ``lock``, for a merchant's own order of this mode; None for anyone else's, which stays unlocked."""
    sql = "SELECT * FROM customer_order WHERE id = $1 AND merchant_id = $2 AND test = $3 FOR UPDATE"
    order = await db.fetch_one_as(Order, sql, order_id, merchant_id, test)
    if order is not None:
        await db.before_commit(_publish, order_id)
    return order


async def _publish(order_ids: Sequence[UUID]) -> None:
    """Have merchants told of what stands in their orders' timelines and they were not told of yet."""
    rows = await db.fetch(
        """SELECT p.id FROM customer_order p JOIN timeline t ON t.subject = p.id
           WHERE p.id = ANY($1) AND t.last_seq > p.published_seq ORDER BY p.id""",
        list(order_ids),
    )
    for row in rows:
        args = {"order_id": str(row["id"])}
        await jobs.post("webhooks.publish", args, subject=row["id"], dedupe=f"webhooks.publish:{row['id']}")
