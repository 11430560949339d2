"""What this room's queries return."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from app.fulfillment.states import ReservationStatus


class Reservation(msgspec.Struct, frozen=True):
    """Our order at a supplier, with its item; see ``tables.Reservation``. Amounts are EUR.

    ``units``: of the item, those that are still to be delivered.
    """

    id: UUID
    order_id: UUID
    item_id: UUID
    status: ReservationStatus
    supplier: str
    supplier_order_id: str | None
    quantity: int
    price_limit: Decimal
    charged: Decimal | None
    asked_at: datetime | None
    next_check_at: datetime | None
    checks: int
    supplier_product_id: str | None
    refunded: Decimal | None
    return_asked_at: datetime | None
    cause: str | None
    created_at: datetime
    updated_at: datetime
    product_id: UUID
    item_name: str
    item_status: str
    units: int

    @property
    def placed_order_id(self) -> str:
        """The supplier's id of our order; one that was placed has it."""
        if self.supplier_order_id is None:
            raise LookupError(f"nothing was ordered for reservation {self.id}")
        return self.supplier_order_id


class ItemToBuy(msgspec.Struct, frozen=True):
    """An item of a paid order. ``subtotal``, ``total``: of the whole order, before and after its discount."""

    order_id: UUID
    product_id: UUID
    quantity: int
    unit_price: Decimal
    subtotal: Decimal
    total: Decimal


class MissingItem(msgspec.Struct, frozen=True):
    """An item that is not there, and the reservation that brings it, where one goes on."""

    id: UUID
    reservation_id: UUID | None


class ItemUnits(msgspec.Struct, frozen=True):
    """How many of an item's ``units`` were ``delivered``, and how many are ``missing``."""

    id: UUID
    unit_price: Decimal
    status: str
    units: int
    delivered: int
    missing: int


class NamedItem(msgspec.Struct, frozen=True):
    id: UUID
    name: str
