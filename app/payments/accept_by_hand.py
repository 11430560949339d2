"""A person has looked at money that we could not judge, and says that it is there: it counts as reported."""

from uuid import UUID

from app.core import db
from app.core.errors import Conflict
from app.history import service as history
from app.orders import service as orders
from app.orders.service import OF_MONEY
from app.payments import queries
from app.payments.classify import Outcome
from app.payments.handle_report import handle
from app.payments.models import Payment
from app.providers.nowpayments import PaymentReport


class NotAcceptable(Conflict):
    title = "This payment can't be accepted"


def acceptable(payment: Payment) -> bool:
    """Whether it is known what arrived in the coin asked for, and only what we are credited with is in doubt."""
    first = payment.outcome == Outcome.SETTLED_LOW and not payment.value
    return first or payment.doubted is not None


async def accept(payment_id: UUID, by: str) -> None:
    """Count what arrived on a payment whose credit to us looked too low. Raises NotAcceptable."""
    async with db.transaction():
        found = await queries.one(payment_id)
        order = await orders.lock(found.order_id) if found else None
        payment = await queries.one(payment_id)
        if order is None or payment is None or not acceptable(payment):
            raise NotAcceptable("Only a payment that waits to be checked can be accepted, and only once.")
        await history.record(order.id, "payment.accepted", payment_id=str(payment_id), by=by)
        await handle(_as_reported(payment))
        await orders.unpark(order.id, f"{OF_MONEY}only ")


def _as_reported(payment: Payment) -> PaymentReport:
    """What the provider has said of it, without what it credits us with."""
    return PaymentReport(
        payment_id=payment.provider_payment_id or "", status=payment.status, invoice_id=payment.invoice_id,
        parent_payment_id=payment.parent_payment_id, purchase_id=None, order_id=str(payment.order_id),
        price_amount=payment.price_amount, price_currency=payment.price_currency.lower(),
        pay_amount=payment.pay_amount, pay_currency=payment.pay_currency,
        actually_paid=payment.doubted or payment.actually_paid, outcome_amount=None, outcome_currency=None,
        pay_address=payment.pay_address, payin_extra_id=payment.memo, network=payment.network,
        expires_at=None, valid_until=None, updated_at=None,
    )  # fmt: skip
