"""What this room's queries return."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from app.issues.models import Issue
from app.orders.states import FulfillmentStatus, OrderStatus


class Order(msgspec.Struct, frozen=True):
    """An order's row; see ``tables.Order``. ``subtotal``, ``discount`` and ``total`` are in ``currency``."""

    id: UUID
    email: str
    email_typed: str | None
    status: OrderStatus
    fulfillment_status: FulfillmentStatus
    currency: str
    subtotal: Decimal
    discount: Decimal
    discount_code: str | None
    total: Decimal
    pay_currency: str | None
    choice: str | None
    frozen_at: datetime | None
    created_at: datetime
    paid_at: datetime | None
    fulfilled_at: datetime | None
    merchant_id: UUID | None
    test: bool
    reference: str | None
    metadata: dict[str, str]
    published_seq: int
    access_epoch: int
    access_browser: UUID | None


class OrderItem(msgspec.Struct, frozen=True):
    """One product of an order; see ``tables.OrderItem``."""

    id: UUID
    order_id: UUID
    product_id: UUID
    position: int
    name: str
    slug: str
    platform: str
    quantity: int
    unit_price: Decimal
    withdrawn: int
    conditions: dict[str, object]  # as its buyer read them, in the words of any release
    status: str


class OrderWithItems(Order, frozen=True):
    """An order with its items, in the order they were chosen."""

    items: list[OrderItem]


class NamedOrder(Order, frozen=True):
    """An order as a line of a list, with the names of its products; None where it has none."""

    names: str | None


class ListedOrder(NamedOrder, frozen=True):
    """The same for admins, with the name of the merchant whose it is, if not ours."""

    merchant: str | None


class PriceToday(msgspec.Struct, frozen=True):
    """An order beside today's prices. ``sold``: every item could be sold again. ``subtotal``: what they cost now."""

    discount_code: str | None
    discount: Decimal
    subtotal: Decimal
    sold: bool


class ItemToday(msgspec.Struct, frozen=True):
    """One of an order's items beside today's catalog."""

    name: str
    quantity: int
    there: bool
    dearer: bool


class ScarceItem(msgspec.Struct, frozen=True):
    """One of an order's items whose product has little stock left."""

    name: str
    product_id: UUID
    quantity: int
    stock: int


class SoldItem(msgspec.Struct, frozen=True):
    """One of an order's items as a letter names it; ``conditions`` as its buyer read them."""

    name: str
    quantity: int
    conditions: dict[str, object]


class OwnOrder(msgspec.Struct, frozen=True):
    """An order of the shop itself, and when it was paid, if it was."""

    id: UUID
    paid_at: datetime | None


class ProductUnits(msgspec.Struct, frozen=True):
    """How many units of a product orders want."""

    product_id: UUID
    units: int


class MeasuredTime(msgspec.Struct, frozen=True):
    """How long the newest ``samples`` took: nine of ten at most ``p90``."""

    samples: int
    p90: timedelta | None


class Needing(msgspec.Struct, frozen=True):
    """An order that needs a person, and why: its open issues, the oldest first."""

    order_id: UUID
    issues: list[Issue]
