"""What this room's queries return."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """What one EUR was worth on ``day`` in ``currency``. ``fetched_at``: when the source last said so."""

    currency: str
    day: date
    rate: Decimal
    fetched_at: datetime


class AdminProduct(msgspec.Struct, frozen=True):
    """A product as its owner looks at it; see ``tables.Product``. The costs are in EUR."""

    id: UUID
    slug: str
    name: str
    price: Decimal
    currency: str
    cost: Decimal
    offered_cost: Decimal | None
    held_since: datetime | None
    stock: int
    active: bool
    supplier_product_id: str
