"""Reading payments."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.core import clock, db

COINS_KEPT = timedelta(seconds=10)  # they are read from the provider every five minutes
_coins: tuple[datetime, list[dict[str, Any]]] = (clock.now() - 2 * COINS_KEPT, [])


async def one(payment_id: UUID) -> dict[str, Any] | None:
    row = await db.fetch_one("SELECT * FROM payment WHERE id = $1", payment_id)
    return dict(row) if row else None


async def by_provider_id(provider_payment_id: str, *, lock: bool = False) -> dict[str, Any] | None:
    sql = "SELECT * FROM payment WHERE provider_payment_id = $1"
    row = await db.fetch_one(f"{sql} FOR UPDATE" if lock else sql, provider_payment_id)
    return dict(row) if row else None


async def of_order(order_id: UUID) -> list[dict[str, Any]]:
    """All attempts, the newest first."""
    rows = await db.fetch("SELECT * FROM payment WHERE order_id = $1 ORDER BY attempt DESC", order_id)
    return [dict(row) for row in rows]


async def partial(order_id: UUID, provider_payment_id: str | None, coin: str | None) -> dict[str, Any] | None:
    """The partial payment that a further deposit in the same coin completes, with what is still ``missing`` of it."""
    row = await db.fetch_one(
        """SELECT * FROM (
             SELECT p.id, p.pay_amount - p.actually_paid - coalesce(sum(t.actually_paid), 0) AS missing
             FROM payment p LEFT JOIN payment t ON t.tops_up = p.id
             WHERE p.order_id = $1 AND p.provider_payment_id = $2 AND p.pay_currency = lower($3)
               AND p.status = 'partially_paid' GROUP BY p.id) AS open WHERE missing > 0""",
        order_id, provider_payment_id, coin,
    )  # fmt: skip
    return dict(row) if row else None


async def others_open(order_id: UUID, but: UUID) -> bool:
    """Whether another attempt of the order can still bring money."""
    return bool(
        await db.fetch_value(
            """SELECT EXISTS (SELECT FROM payment WHERE order_id = $1 AND id <> $2 AND provider_payment_id IS NOT NULL
               AND status IN ('waiting', 'confirming', 'confirmed', 'sending', 'partially_paid', 'finished'))""",
            order_id,
            but,
        )
    )


async def coins() -> list[dict[str, Any]]:
    """The coins offered now: ``{code, name, network, has_memo, minimum}``, in the provider's order."""
    global _coins
    read_at, found = _coins
    if not found or abs(clock.now() - read_at) > COINS_KEPT:
        rows = await db.fetch("SELECT code, name, network, has_memo, minimum FROM coin WHERE active ORDER BY position")
        found = [dict(row) for row in rows]
        _coins = (clock.now(), found)
    return found
