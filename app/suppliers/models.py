"""What a supplier answers, whichever it is. Amounts are in EUR."""

from datetime import datetime
from decimal import Decimal

import msgspec

from app.core.crypto import Plaintext


class KeyState(msgspec.Struct, frozen=True):
    """One key of an order: ``status`` is pending, processing, delivered, returned, refunded or canceled."""

    id: str
    status: str


class SupplierOrder(msgspec.Struct, frozen=True):
    """Our order at a supplier. ``status`` is processing, completed, canceled or refunded; other words may come.

    ``order_id``: the supplier's id. ``external_id``: ours, the reservation's. ``charged``: what it took for the whole
    order, None where it did not say or takes nothing. ``keys``: empty where the call does not tell of keys.
    """

    order_id: str
    external_id: str | None
    status: str
    quantity: int
    charged: Decimal | None
    created_at: datetime | None
    keys: tuple[KeyState, ...] = ()

    @property
    def delivered(self) -> int:
        """How many keys can be fetched now."""
        return sum(key.status == "delivered" for key in self.keys)


class SupplierKey(msgspec.Struct, frozen=True):
    """One key itself. ``serial``: the key as text; for ``image/…`` the file in base64.

    ``id``: unique among all keys that this supplier ever sells; a key that is returned and sold again has a new one.
    """

    id: str
    media_type: str
    serial: Plaintext


class Found(msgspec.Struct, frozen=True):
    """A product that a supplier sells, as a search names it. ``cost`` in EUR, None where it names none."""

    product_id: str
    name: str
    cost: Decimal | None
    stock: int


class Notice(msgspec.Struct, frozen=True):
    """What a supplier's webhook is about: an order, with the ``status`` that it claims, or else a product."""

    order_id: str | None = None
    product_id: str | None = None
    status: object = None
