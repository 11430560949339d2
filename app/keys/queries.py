"""Reading the vault's rows; never what they seal."""

from typing import Any
from uuid import UUID

from app.core import db


async def wrapped_key(order_id: UUID) -> tuple[str, bytes] | None:
    row = await db.fetch_one("SELECT master_key_id, wrapped FROM order_data_key WHERE order_id = $1", order_id)
    return (row["master_key_id"], row["wrapped"]) if row else None


async def of_item(order_id: UUID, item_id: UUID) -> list[dict[str, Any]]:
    rows = await db.fetch(
        "SELECT * FROM sealed_key WHERE order_id = $1 AND item_id = $2 ORDER BY ordinal", order_id, item_id
    )
    return [dict(row) for row in rows]


async def of_order(order_id: UUID) -> list[dict[str, Any]]:
    rows = await db.fetch(
        "SELECT id, item_id, ordinal, revealed_at, deleted_at FROM sealed_key WHERE order_id = $1 ORDER BY ordinal",
        order_id,
    )
    return [dict(row) for row in rows]


async def item_exists(order_id: UUID, item_id: UUID) -> bool:
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM purchase_item WHERE id = $2 AND order_id = $1)", order_id, item_id
        )
    )


async def supplier_ids(item_id: UUID) -> set[str]:
    """The supplier's ids of the keys that an item has already."""
    rows = await db.fetch("SELECT supplier_key_id FROM sealed_key WHERE item_id = $1", item_id)
    return {row["supplier_key_id"] for row in rows}


async def any_locked(item_id: UUID) -> bool:
    """Whether a key of the item is locked for a refund."""
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM sealed_key WHERE item_id = $1 AND locked_at IS NOT NULL)", item_id
        )
    )


async def given_back(item_id: UUID) -> bool:
    """Whether the item's keys are with the supplier again."""
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM sealed_key WHERE item_id = $1 AND returned_at IS NOT NULL)", item_id
        )
    )


async def audit_of(order_id: UUID) -> list[dict[str, Any]]:
    rows = await db.fetch(
        "SELECT at, action, key_id, actor, ip, user_agent FROM key_audit WHERE order_id = $1 ORDER BY id",
        order_id,
    )
    return [dict(row) for row in rows]
