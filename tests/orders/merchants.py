"""What tests of merchants' money build on: a merchant, its orders, payments of test mode and live ones."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.contract.payment import Payment
from app.contract.refund import Refund
from app.core import clock, db
from app.core.ids import new_id
from app.core.money import Money
from app.orders import merchant_orders
from app.orders.models import Order
from app.payments import create_for_merchants
from app.payments import queries as payment_rows
from app.payments.models import MerchantPayment
from app.refunds.models import MerchantRefund

VISA = {"number": "4242 4242 4242 4242", "expiry": "12/40", "cvv": "123"}
CUSTOMER = "delivered+shopper@resend.dev"


async def merchant(name: str = "Tea House", origin: str | None = None) -> UUID:
    merchant_id = new_id()
    await db.fetch(
        "INSERT INTO merchant (id, name, origins, live_number, test_number, created_at) VALUES ($1, $2, $3, 0, 0, $4)",
        merchant_id, name, f'["{origin}"]' if origin else "[]", clock.now(),
    )  # fmt: skip
    return merchant_id


async def charged(
    merchant_id: UUID, amount: str = "20.00", *, test: bool = True, reference: str = "cart 7", **more: Any
) -> Order:
    """An order of this much, in dollars unless a ``currency`` is named."""
    money = Money(Decimal(amount), more.pop("currency", "USD"))
    return await merchant_orders.create(merchant_id, test=test, amount=money, reference=reference, **more)


async def asked(order: Order, method: str = "card", **spec: Any) -> MerchantPayment:
    """A payment of the order, pending; by a good card unless said otherwise."""
    return await create_for_merchants.create(order, method, (VISA if method == "card" else {}) | spec)


async def payment(row: MerchantPayment) -> MerchantPayment:
    """The payment's row as it stands now."""
    found = await payment_rows.of_merchant(row.merchant_id, row.test, row.id)
    assert found is not None
    return found


async def completed(drain: Any, order: Order, method: str = "card", **spec: Any) -> MerchantPayment:
    """A payment of test mode, to its end."""
    made = await asked(order, method, **spec)
    await drain(later=True, only="payments.simulate")
    return await payment(made)


def told_payment(row: MerchantPayment) -> dict[str, Any]:
    """A payment as its merchant is told it, by its row with its order's mode."""
    return dict(msgspec.to_builtins(Payment.from_row(row, test=row.test)))


def told_refund(row: MerchantRefund) -> dict[str, Any]:
    """A refund as its merchant is told it, by its row with its order's mode."""
    return dict(msgspec.to_builtins(Refund.from_row(row, test=row.test)))
