"""A person has looked at money that we could not judge: it counts as reported, or only as far as it is credited."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core.errors import Conflict, Invalid
from app.core.i18n import _
from app.core.money import Money
from app.history import service as history
from app.issues.codes import IssueCode
from app.orders import service as orders
from app.orders.models import Order
from app.payments import queries, tables
from app.payments.classify import COIN_UNIT, WIDE, Outcome
from app.payments.handle_report import handle
from app.payments.models import Payment
from app.providers.nowpayments import PaymentReport


class NotAcceptable(Conflict):
    title = "This payment can't be accepted"


class BadCredit(Invalid):
    title = "That can't be what was credited"


def acceptable(payment: Payment) -> bool:
    """Whether it is known what arrived in the coin asked for, and only what we are credited with is in doubt."""
    first = payment.outcome == Outcome.SETTLED_LOW and not payment.value
    return first or payment.doubted is not None


async def accept(payment_id: UUID, by: str) -> None:
    """Count what arrived on a payment whose credit to us looked too low. Raises NotAcceptable."""
    async with _doubted(payment_id) as (order, payment):
        await history.record(order.id, "payment.accepted", payment_id=str(payment_id), by=by)
        await handle(_as_reported(payment))
        await orders.resolve_reasons(order.id, {IssueCode.SETTLED_LOW})


async def count_credited(payment_id: UUID, credited: Money | None, by: str) -> None:
    """Refuse a payment whose credit to us is too low for what is said to have arrived: only ``credited`` counts.

    What counts is the customer's, as of any order that is underpaid: refunded, turned into credit or topped up. Of a
    payment that had brought something before, that goes on to count, and no amount is needed. Raises NotAcceptable and
    BadCredit.
    """
    async with _doubted(payment_id) as (order, payment):
        arrived = payment.doubted or payment.actually_paid
        if payment.doubted is None:
            part = _part(payment, credited)
            await history.record(order.id, "payment.counted_in_part", payment_id=str(payment_id), by=by)
            await handle(replace(_as_reported(payment), actually_paid=part))
        else:
            await history.record(order.id, "payment.counted_in_part", payment_id=str(payment_id), by=by)
        # What is said to have arrived is known from here on: saying it again is no news.
        known: dict[Any, Any] = {tables.Payment.actually_paid: arrived, tables.Payment.doubted: None}
        await tables.Payment.update(known).where(tables.Payment.id == payment_id)
        await orders.resolve_reasons(order.id, {IssueCode.SETTLED_LOW})


def _part(payment: Payment, credited: Money | None) -> Decimal:
    """The coins that are worth ``credited``, at the rate that was asked for."""
    asked = payment.pay_amount or Decimal(1)  # nothing was asked for: nothing arrived, and no amount is below that
    worth = Money(payment.price_amount * payment.actually_paid / asked, payment.price_currency)
    if credited is None or credited.currency != worth.currency or not 0 < credited.amount < worth.amount:
        raise BadCredit(
            _("Enter an amount above zero and below %(worth)s, which is said to have arrived.", worth=worth),
            field="amount",
        )
    return (credited.amount * asked / payment.price_amount).quantize(COIN_UNIT, context=WIDE)


@asynccontextmanager
async def _doubted(payment_id: UUID) -> AsyncIterator[tuple[Order, Payment]]:
    """A transaction about a payment that waits to be checked, with its order. Raises NotAcceptable for any other."""
    found = await queries.one(payment_id)
    refused = NotAcceptable("Only a payment that waits to be checked can be decided on, and only once.")
    if found is None:
        raise refused
    async with orders.changing(found.order_id) as order:
        payment = await queries.one(payment_id)
        if order is None or payment is None or not acceptable(payment):
            raise refused
        yield order, payment


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
