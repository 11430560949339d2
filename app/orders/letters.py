"""Letters about an order, each with a link that proves the address."""

from typing import Any
from uuid import UUID

from app.accounts import service as accounts
from app.core import db
from app.core.db import Write
from app.core.money import Money
from app.mail import service as mail
from app.orders.tables import OrderItem


def short(order_id: UUID) -> str:
    """How people name an order: the last eight characters of its id, the random ones."""
    return order_id.hex[-8:].upper()


def drafted(
    order_id: UUID, email: str, kind: str, items: list[dict[str, Any]], *, total: str, **more: Any
) -> tuple[Write, ...]:
    """A letter about an order, with its link, as writes. ``more`` is what this kind says beyond the bill."""
    link_id, link = accounts.linking(email, "order", order_id)
    context = {
        "order_short_id": short(order_id),
        "items": items,
        "total": total,
        "link_id": link_id,
        "days": accounts.ORDER_LIFETIME.days,
        **more,
    }
    return link, *mail.draft(kind, email, context, about=order_id).writes


async def write(order: dict[str, Any], kind: str, **more: Any) -> None:
    """Write to an order's customer, in the surrounding transaction."""
    rows = await OrderItem.select(OrderItem.name, OrderItem.quantity).where(OrderItem.order_id == order["id"])
    total = str(Money(order["total"], order["currency"]))
    await db.write(*drafted(order["id"], order["email"], kind, rows, total=total, **more))
