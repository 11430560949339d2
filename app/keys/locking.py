"""Keys of an order whose money goes back: not shown any more, and offered to the supplier."""

from uuid import UUID

from app.core import clock, db
from app.orders import service as orders


async def lock(order_id: UUID) -> None:
    """Keys nobody has seen are not shown any more. Needs the order's lock."""
    orders.held(order_id)
    await db.fetch(
        "UPDATE sealed_key SET locked_at = $2 WHERE order_id = $1 AND revealed_at IS NULL AND locked_at IS NULL",
        order_id, clock.now(),
    )  # fmt: skip


async def unlock(order_id: UUID) -> bool:
    """Keys may be shown again, but for those that were given back to the supplier. False if there are such.

    Needs the order's lock.
    """
    orders.held(order_id)
    await db.fetch("UPDATE sealed_key SET locked_at = NULL WHERE order_id = $1 AND returned_at IS NULL", order_id)
    return not await db.fetch_value(
        "SELECT EXISTS (SELECT FROM sealed_key WHERE order_id = $1 AND locked_at IS NOT NULL)", order_id
    )


async def give_back(item_id: UUID, *, given: bool) -> bool:
    """Mark an item's locked keys as given back to the supplier, or as kept after all. False if one may be seen."""
    if given and await db.fetch_value(
        "SELECT EXISTS (SELECT FROM sealed_key WHERE item_id = $1 AND locked_at IS NULL)", item_id
    ):
        return False
    await db.fetch("UPDATE sealed_key SET returned_at = $2 WHERE item_id = $1", item_id, clock.now() if given else None)
    return True
