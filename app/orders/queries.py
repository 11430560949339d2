"""Reading orders."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.core import db


async def one(order_id: UUID) -> dict[str, Any] | None:
    """An order's row with its ``items``, in the order they were chosen."""
    row = await db.fetch_one("SELECT * FROM purchase WHERE id = $1", order_id)
    if row is None:
        return None
    items = await db.fetch("SELECT * FROM purchase_item WHERE order_id = $1 ORDER BY position", order_id)
    return dict(row) | {"items": [dict(item) for item in items]}


async def email_of(order_id: UUID) -> str | None:
    email: str | None = await db.fetch_value("SELECT email FROM purchase WHERE id = $1", order_id)
    return email


async def history(*, email: str | None, ids: Sequence[UUID], limit: int = 100) -> list[dict[str, Any]]:
    """Orders of an email or among ``ids``, newest first, each with its ``names``."""
    rows = await db.fetch(
        """SELECT p.*, (SELECT string_agg(name, ', ' ORDER BY position) FROM purchase_item i WHERE i.order_id = p.id)
           AS names FROM purchase p WHERE p.email = $1 OR p.id = ANY($2) ORDER BY created_at DESC LIMIT $3""",
        email, list(ids), limit,
    )  # fmt: skip
    return [dict(row) for row in rows]


async def any_of(email: str) -> bool:
    return bool(await db.fetch_value("SELECT EXISTS (SELECT FROM purchase WHERE email = $1)", email))


async def page(*, status: str | None, search: str | None, limit: int, offset: int) -> list[dict[str, Any]]:
    """For the admin's list: those that need a person first, then the newest."""
    rows = await db.fetch(
        """SELECT p.*, (SELECT string_agg(name, ', ' ORDER BY position) FROM purchase_item i WHERE i.order_id = p.id)
           AS names FROM purchase p
           WHERE ($1::text IS NULL OR status = $1) AND ($2::text IS NULL OR email ILIKE $2 OR id::text ILIKE $2)
           ORDER BY (cause IS NOT NULL) DESC, created_at DESC LIMIT $3 OFFSET $4""",
        status, f"%{search}%" if search else None, limit, offset,
    )  # fmt: skip
    return [dict(row) for row in rows]


async def counts() -> dict[str, int]:
    rows = await db.fetch("SELECT status, count(*) AS n FROM purchase GROUP BY status")
    return {row["status"]: row["n"] for row in rows}


async def parked(limit: int = 20) -> list[dict[str, Any]]:
    """Orders that wait for a person, with the reason."""
    rows = await db.fetch(
        "SELECT id, cause, status, created_at FROM purchase WHERE cause IS NOT NULL ORDER BY created_at LIMIT $1",
        limit,
    )
    return [dict(row) for row in rows]
