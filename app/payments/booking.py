"""What payments tell the ledger, each inside the transaction in which it happens, after the order has moved."""

from typing import Any
from uuid import UUID

from app.core.money import Money
from app.ledger import queries as books
from app.ledger import service as ledger


async def brought(payment: dict[str, Any], value: Money) -> None:
    """``value`` is all that the payment has brought so far."""
    await ledger.receive(payment["order_id"], payment["id"], value)


async def earned(order_id: UUID, total: Money) -> None:
    """The order is settled: its price is ours."""
    await ledger.charge(order_id, total)


async def credited(order_id: UUID, amount: Money) -> None:
    """The customer has taken a credit instead of the goods."""
    await ledger.credited(order_id, amount)


async def to_give_back(order_id: UUID) -> Money:
    """What the customer could have back now: what bought nothing yet, and what came beyond the price."""
    return await books.held(order_id) + await books.owed(order_id)
