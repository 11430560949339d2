"""Reading refunds, and how much may still go back."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import db
from app.core.money import Money


async def one(refund_id: UUID) -> dict[str, Any] | None:
    row = await db.fetch_one("SELECT * FROM refund WHERE id = $1", refund_id)
    return dict(row) if row else None


async def by_link(link_id: UUID) -> dict[str, Any] | None:
    """The refund that this claim link is the newest of."""
    row = await db.fetch_one("SELECT * FROM refund WHERE link_id = $1", link_id)
    return dict(row) if row else None


async def of_order(order_id: UUID) -> list[dict[str, Any]]:
    """Oldest first."""
    rows = await db.fetch("SELECT * FROM refund WHERE order_id = $1 ORDER BY created_at, id", order_id)
    return [dict(row) for row in rows]


async def refundable(order_id: UUID) -> Money:
    """Received, less what went back, what is on its way back, and what was credited. Exact under the order's lock."""
    row = await db.fetch_one(
        """SELECT p.currency,
             coalesce((SELECT sum(amount) FROM ledger_entry
                       WHERE order_id = p.id AND account IN ('received', 'refunded', 'credit')), 0)
             - coalesce((SELECT sum(amount) FROM refund
                         WHERE order_id = p.id AND status IN ('pending', 'processing')), 0) AS amount
           FROM purchase p WHERE p.id = $1""",
        order_id,
    )
    if row is None:
        raise LookupError(f"no order {order_id}")
    return Money(max(row["amount"], Decimal(0)), row["currency"])


async def live(order_id: UUID) -> bool:
    """Whether any refund of the order is still under way."""
    return bool(
        await db.fetch_value(
            "SELECT EXISTS (SELECT FROM refund WHERE order_id = $1 AND status IN ('pending', 'processing'))", order_id
        )
    )


async def page(*, status: str | None, limit: int, offset: int) -> list[dict[str, Any]]:
    """For the admin's list: those that wait for a decision first, then the newest."""
    rows = await db.fetch(
        """SELECT r.*, p.email FROM refund r JOIN purchase p ON p.id = r.order_id
           WHERE $1::text IS NULL OR r.status = $1
           ORDER BY (r.status = 'pending' AND r.checked_at IS NOT NULL OR r.status = 'failed') DESC, r.created_at DESC
           LIMIT $2 OFFSET $3""",
        status, limit, offset,
    )  # fmt: skip
    return [dict(row) for row in rows]


async def counts() -> dict[str, int]:
    rows = await db.fetch("SELECT status, count(*) AS n FROM refund GROUP BY status")
    return {row["status"]: row["n"] for row in rows}


async def waiting(limit: int = 20) -> list[dict[str, Any]]:
    """Refunds that wait for an admin: to be approved, or to be looked at because they failed."""
    rows = await db.fetch(
        """SELECT * FROM refund WHERE (status = 'pending' AND checked_at IS NOT NULL)
             OR (status = 'failed' AND NOT starts_with(coalesce(error, ''), 'rejected: '))
           ORDER BY created_at LIMIT $1""",
        limit,
    )
    return [dict(row) for row in rows]
