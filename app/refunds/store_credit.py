"""What becomes of the store credit that an order took, when its money goes back.

A customer who has seen a key keeps it, so the credit that paid for it stays used. The rest comes back with the last of
the money.
"""

from decimal import ROUND_UP, Decimal
from uuid import UUID

import msgspec

from app.catalog import codes, credits
from app.core import db
from app.core.money import CENT, Money
from app.orders import queries as orders


class SpentCredit(msgspec.Struct, frozen=True):
    """Store credit that an order uses: ``kept`` paid for units whose key was revealed, ``back`` comes back when all of
    the order's money is refunded."""

    used: Money
    kept: Money
    back: Money

    def as_json(self) -> dict[str, object]:
        return {"used": str(self.used), "kept": str(self.kept), "back": str(self.back)}


async def kept(order_id: UUID) -> Decimal:
    """What the order's code took off units whose key was revealed, rounded up. Exact under the order's lock."""
    share = await db.fetch_value(
        """SELECT p.discount * sum(i.unit_price) / nullif(p.subtotal, 0)
           FROM customer_order p JOIN order_item i ON i.order_id = p.id
           JOIN sealed_key k ON k.item_id = i.id AND k.revealed_at IS NOT NULL
           WHERE p.id = $1 GROUP BY p.id""",
        order_id,
    )
    return Decimal(share or 0).quantize(CENT, ROUND_UP)


async def of_order(order_id: UUID) -> SpentCredit | None:
    """The credit that an order uses now; None where it uses none."""
    order = await orders.one(order_id)
    if order is None or not credits.is_credit(order.discount_code):
        return None
    used = await codes.used(order_id)
    stays = min(await kept(order_id), used)
    parts = (Money(part, order.currency) for part in (used, stays, used - stays))
    return SpentCredit(*parts) if used else None
