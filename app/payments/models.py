"""What this room's queries return."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from app.orders.states import OrderStatus
from app.payments.states import PaymentStatus


class Payment(msgspec.Struct, frozen=True):
    """An attempt's row; see ``tables.Payment``. Coin amounts are in whole coins, ``value`` in ``price_currency``."""

    id: UUID
    order_id: UUID
    provider: str
    attempt: int
    status: PaymentStatus
    provider_payment_id: str | None
    invoice_id: str | None
    invoice_url: str | None
    price_amount: Decimal
    price_currency: str
    pay_amount: Decimal | None
    pay_currency: str
    pay_address: str | None
    memo: str | None
    network: str | None
    actually_paid: Decimal
    owed_back: Decimal
    excess: Decimal
    doubted: Decimal | None
    tops_up: UUID | None
    value: Decimal
    outcome: str | None
    parent_payment_id: str | None
    expires_at: datetime | None
    next_check_at: datetime | None
    checks: int
    method: str
    details: dict[str, object]  # what a merchant may see of it; ``metadata`` among it is the merchant's own
    failure: str | None
    created_at: datetime
    updated_at: datetime


class MerchantPayment(Payment, frozen=True):
    """A merchant's payment with what is its order's.

    ``refunded``: what of it went back. ``parked``: something came to its address otherwise than asked.
    ``word``: its state as merchants read it.
    """

    merchant_id: UUID
    test: bool
    reference: str | None
    email: str
    email_typed: str | None
    order_status: OrderStatus
    parked: bool
    refunded: Decimal
    word: str


class Seller(msgspec.Struct, frozen=True):
    """A merchant as a provider's page names it. ``origin``: where the page leads back to."""

    name: str
    origin: str | None


class AskedPayment(msgspec.Struct, frozen=True):
    """What a merchant's customer is asked for: how much, in what, and in test mode where to."""

    price_amount: Decimal
    price_currency: str
    pay_currency: str
    tops_up: UUID | None = None
    network: str | None = None
    pay_address: str | None = None
    expires_at: datetime | None = None


class Coin(msgspec.Struct, frozen=True):
    """A coin that customers may pay with; ``minimum`` is in the shop's currency."""

    code: str
    name: str
    network: str
    has_memo: bool
    minimum: Decimal | None
