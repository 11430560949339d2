"""Reading the vault's rows; never what they seal."""

from datetime import datetime
from uuid import UUID

from app.core import db
from app.keys.models import KeyState, SealedKey, WrappedDataKey


async def wrapped_key(order_id: UUID) -> tuple[str, bytes] | None:
    row = await db.fetch_one("SELECT master_key_id, wrapped FROM order_data_key WHERE order_id = $1", order_id)
    return (row["master_key_id"], row["wrapped"]) if row else None


async def of_item(order_id: UUID, item_id: UUID) -> list[SealedKey]:
    return await db.fetch_as(
        SealedKey,
        "SELECT * FROM sealed_key WHERE order_id = $1 AND item_id = $2 ORDER BY ordinal", order_id, item_id,
    )  # fmt: skip


async def of_order(order_id: UUID) -> list[KeyState]:
    return await db.fetch_as(
        KeyState,
        "SELECT id, item_id, ordinal, revealed_at, deleted_at FROM sealed_key WHERE order_id = $1 ORDER BY ordinal",
        order_id,
    )


async def reveal_times(ids: list[UUID]) -> dict[UUID, datetime | None]:
    """When each key's owner first saw it."""
    rows = await db.fetch("SELECT id, revealed_at FROM sealed_key WHERE id = ANY($1)", ids)
    return {row["id"]: row["revealed_at"] for row in rows}


async def item_exists(order_id: UUID, item_id: UUID) -> bool:
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM order_item WHERE id = $2 AND order_id = $1)", order_id, item_id
        )
    )


async def supplier_ids(item_id: UUID) -> set[str]:
    """The supplier's ids of the keys that an item has already."""
    rows = await db.fetch("SELECT supplier_key_id FROM sealed_key WHERE item_id = $1", item_id)
    return {row["supplier_key_id"] for row in rows}


async def any_broken(order_id: UUID) -> bool:
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM sealed_key WHERE order_id = $1 AND broken_at IS NOT NULL)", order_id
        )
    )


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


async def any_deleted(ids: list[UUID]) -> bool:
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM sealed_key WHERE id = ANY($1) AND deleted_at IS NOT NULL)", ids
        )
    )


async def by_master_key() -> dict[str, int]:
    """How many data keys each master key wraps."""
    rows = await db.fetch("SELECT master_key_id, count(*) AS n FROM order_data_key GROUP BY 1 ORDER BY 1")
    return {row["master_key_id"]: row["n"] for row in rows}


async def wrapped_by_others(master_key_id: str, after: UUID | None, limit: int) -> list[WrappedDataKey]:
    """Data keys behind order ``after`` that any other master key wraps, by order."""
    return await db.fetch_as(
        WrappedDataKey,
        """SELECT order_id, master_key_id, wrapped FROM order_data_key
           WHERE master_key_id <> $1 AND ($2::uuid IS NULL OR order_id > $2) ORDER BY order_id LIMIT $3""",
        master_key_id, after, limit,
    )  # fmt: skip


async def orders_to_retire(before: datetime, limit: int) -> list[UUID]:
    """Orders with keys that were sealed before then, or whose blobs a retirement that died has left."""
    rows = await db.fetch(
        """SELECT order_id FROM sealed_key WHERE deleted_at IS NULL AND created_at < $1
           UNION SELECT order_id FROM sealed_key WHERE deleted_at IS NOT NULL AND blob <> '' LIMIT $2""",
        before, limit,
    )  # fmt: skip
    return [row["order_id"] for row in rows]
