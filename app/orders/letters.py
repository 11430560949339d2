"""Letters about an order, each with a link that proves the address."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from app.accounts import service as accounts
from app.catalog import conditions
from app.core import db
from app.core.db import Write
from app.core.money import Money
from app.core.settings import settings
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


def kept_until(paid_at: datetime) -> str:
    """The last day on which the keys of an order that was paid then are sure to be on its page: ``28 Nov 2027``."""
    return f"{paid_at + timedelta(days=settings().retention_days):%d %b %Y}".lstrip("0")


async def write(order: dict[str, Any], kind: str, **more: Any) -> None:
    """Write to an order's customer, in the surrounding transaction. ``more``: see ``app.mail.kinds``."""
    found = await OrderItem.select(OrderItem.name, OrderItem.quantity, OrderItem.conditions).where(
        OrderItem.order_id == order["id"]
    )
    rows = [
        {"name": row["name"], "quantity": row["quantity"], "conditions": sold.lines if sold else []}
        for row in found
        for sold in [conditions.of_item(json.loads(row["conditions"]))]
    ]
    total = str(Money(order["total"], order["currency"]))
    await db.write(*drafted(order["id"], order["email"], kind, rows, total=total, **more))
