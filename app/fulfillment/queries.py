"""Reading reservations, and the whole of an order for its page and its API answer."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from app.core import db

_SELECT = """SELECT r.*, i.product_id, i.name AS item_name, i.quantity AS units
             FROM reservation r JOIN purchase_item i ON i.id = r.item_id"""


async def one(reservation_id: UUID) -> dict[str, Any] | None:
    row = await db.fetch_one(f"{_SELECT} WHERE r.id = $1", reservation_id)
    return dict(row) if row else None


async def of_item(item_id: UUID) -> dict[str, Any] | None:
    """The item's current reservation; those before it were cancelled or refunded by the supplier."""
    row = await db.fetch_one(f"{_SELECT} WHERE r.item_id = $1 ORDER BY r.created_at DESC, r.id DESC LIMIT 1", item_id)
    return dict(row) if row else None


async def by_supplier_order(supplier_order_id: str) -> dict[str, Any] | None:
    row = await db.fetch_one(f"{_SELECT} WHERE r.supplier_order_id = $1", supplier_order_id)
    return dict(row) if row else None


async def of_order(order_id: UUID) -> list[dict[str, Any]]:
    """All of an order's reservations: by item, and an item's in the order they were made."""
    rows = await db.fetch(f"{_SELECT} WHERE r.order_id = $1 ORDER BY i.position, r.created_at, r.id", order_id)
    return [dict(row) for row in rows]


def current(reservations: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of what ``of_order`` gave, the current one of each item. Pure."""
    return list({row["item_id"]: row for row in reservations}.values())


async def item_to_buy(item_id: UUID) -> dict[str, Any] | None:
    """An item of a paid order with what its price limit needs; None for any other."""
    row = await db.fetch_one(
        """SELECT i.*, p.total, p.subtotal FROM purchase_item i JOIN purchase p ON p.id = i.order_id
           WHERE i.id = $1 AND p.status = 'paid'""",
        item_id,
    )
    return dict(row) if row else None
