"""What an order would be worth today: for money that came late, and for what was never paid."""

from decimal import Decimal
from uuid import UUID

from app.catalog import credits
from app.core import db
from app.history import service as history
from app.orders.models import ItemToday, PriceToday


async def still_sellable(order_id: UUID, slippage: Decimal = Decimal(0)) -> bool:
    """Whether every item could be sold again today, at a price at most ``slippage`` percent above what was ordered.

    A credit that the order took, and that came back when it ended, must be there as well.
    """
    row = await db.fetch_one_as(
        PriceToday,
        """SELECT o.discount_code, o.discount, sum(p.price * i.quantity) AS subtotal,
             bool_and(p.active AND p.stock >= i.quantity AND p.price <= i.unit_price * (1 + $2 / 100.0)) AS sold
           FROM customer_order o JOIN order_item i ON i.order_id = o.id JOIN product p ON p.id = i.product_id
           WHERE o.id = $1 GROUP BY o.id""",
        order_id, slippage,
    )  # fmt: skip
    if row is None or not row.sold:
        return False
    return not credits.is_credit(row.discount_code) or await credits.covers(row.discount_code or "", row.discount)


async def unsellable(order_id: UUID, slippage: Decimal) -> tuple[list[str], list[str]]:
    """What of an order can't be sold again today, by its games' names as letters say them: what is gone, and what costs
    over ``slippage`` percent more than was ordered."""
    rows = await db.fetch_as(
        ItemToday,
        """SELECT i.name, i.quantity, p.active AND p.stock >= i.quantity AS there,
             p.price > i.unit_price * (1 + $2 / 100.0) AS dearer
           FROM order_item i JOIN product p ON p.id = i.product_id WHERE i.order_id = $1 ORDER BY i.position""",
        order_id, slippage,
    )  # fmt: skip
    named = [(row.name if row.quantity == 1 else f"{row.quantity} keys of {row.name}", row) for row in rows]
    gone = [name for name, row in named if not row.there]
    return gone, [name for name, row in named if row.there and row.dearer]


async def price_today(order_id: UUID) -> Decimal | None:
    """What the order would cost by today's prices; None when one of its items can't be sold any more."""
    row = await db.fetch_one_as(
        PriceToday,
        """SELECT o.discount_code, o.discount, sum(p.price * i.quantity) AS subtotal,
             bool_and(p.active AND p.stock >= i.quantity) AS sold
           FROM customer_order o JOIN order_item i ON i.order_id = o.id JOIN product p ON p.id = i.product_id
           WHERE o.id = $1 GROUP BY o.id""",
        order_id,
    )
    if row is None or not row.sold:
        return None
    gone = credits.is_credit(row.discount_code) and not await credits.covers(row.discount_code or "", row.discount)
    return row.subtotal - (Decimal(0) if gone else min(row.discount, row.subtotal))


async def reprice(order_id: UUID) -> None:
    """Bring an unpaid order, which must be sellable, to today's prices."""
    total = await price_today(order_id)
    await db.fetch(
        """UPDATE order_item SET unit_price = p.price FROM product p
           WHERE order_item.order_id = $1 AND p.id = order_item.product_id""",
        order_id,
    )
    await db.fetch(
        """UPDATE customer_order SET total = $2, subtotal = s.sum, discount = s.sum - $2
           FROM (SELECT sum(unit_price * quantity) AS sum FROM order_item WHERE order_id = $1) s WHERE id = $1""",
        order_id, total,
    )  # fmt: skip
    await history.record(order_id, "order.repriced", total=str(total))
