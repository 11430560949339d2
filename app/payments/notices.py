"""What a payment report means. One pure, total function: every report leads to exactly one verdict.

Reports come from notices and from the provider's own answers alike (nowpayments.md, 3, 5 and 6).
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.payments.states import MOVES, PaymentStatus
from app.providers.nowpayments import PaymentReport


class Effect(StrEnum):
    """What a report does to its order."""

    NONE = "none"
    CONFIRMING = "confirming"
    PAID = "paid"
    UNDERPAID = "underpaid"
    FAILED = "failed"
    EXPIRED = "expired"
    PARK = "park"


@dataclass(frozen=True, slots=True)
class Expected:
    """What we asked for, from our own row. Amounts of coins in whole coins."""

    order_id: str
    status: PaymentStatus
    price_amount: Decimal
    price_currency: str
    pay_amount: Decimal | None
    pay_currency: str
    actually_paid: Decimal
    top_up: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """``to``: the payment's next status, or None; ``why`` goes to the notice's log and, parked, to the admin."""

    effect: Effect
    why: str
    to: PaymentStatus | None = None
    owed_back: Decimal = Decimal(0)
    missing: Decimal = Decimal(0)


IN_FLIGHT = {PaymentStatus.CONFIRMING, PaymentStatus.CONFIRMED, PaymentStatus.SENDING}
MONEY_MOVED = {PaymentStatus.FINISHED, PaymentStatus.PARTIALLY_PAID}


def judge(expected: Expected, report: PaymentReport, tolerance: Decimal) -> Verdict:
    """What ``report`` means for a payment we ``expected``; ``tolerance`` is the shortfall accepted, in percent."""
    if report.order_id != expected.order_id:
        return Verdict(Effect.NONE, "ignored: it names another order")
    if report.price_amount is not None and (
        report.price_amount != expected.price_amount or (report.price_currency or "").upper() != expected.price_currency
    ):
        return Verdict(Effect.NONE, "ignored: it is for another amount")
    try:
        status = PaymentStatus(report.status)
    except ValueError:
        return Verdict(Effect.PARK, f"the payment provider used an unknown status: {report.status[:32]}")
    if report.parent_payment_id is not None and not expected.top_up:
        return _extra_deposit(expected, status)
    if status == expected.status:
        return _more_of_the_same(expected, report, status, tolerance)
    if not MOVES.allows(expected.status, status):
        return Verdict(Effect.NONE, f"stale: the payment is already {expected.status}")
    if status in MONEY_MOVED:
        return _weigh(expected, report, status, tolerance)
    return _plain(status)


def _plain(status: PaymentStatus) -> Verdict:
    if status in IN_FLIGHT:
        return Verdict(Effect.CONFIRMING, "money was seen", status)
    if status is PaymentStatus.EXPIRED:
        return Verdict(Effect.EXPIRED, "nothing arrived in time", status)
    if status is PaymentStatus.FAILED:
        return Verdict(Effect.FAILED, "the payment failed at the provider", status)
    if status is PaymentStatus.REFUNDED:
        return Verdict(Effect.PARK, "the provider sent the money back", status)
    return Verdict(Effect.NONE, "waiting for money", status)


def _extra_deposit(expected: Expected, status: PaymentStatus) -> Verdict:
    if status not in MONEY_MOVED or not MOVES.allows(expected.status, status):
        return Verdict(Effect.NONE, "a further deposit on its way")
    return Verdict(Effect.PARK, "a second deposit arrived for this order: it is owed back", status)


def _more_of_the_same(expected: Expected, report: PaymentReport, status: PaymentStatus, tolerance: Decimal) -> Verdict:
    """A repeat; only a partial payment can grow without its status changing."""
    grown = (report.actually_paid or Decimal(0)) > expected.actually_paid
    if status is PaymentStatus.PARTIALLY_PAID and grown:
        return _weigh(expected, report, None, tolerance)
    return Verdict(Effect.NONE, f"repeat: the payment is already {expected.status}")


def _weigh(expected: Expected, report: PaymentReport, to: PaymentStatus | None, tolerance: Decimal) -> Verdict:
    """Money has arrived: is it the right coin, and enough of it? The status word alone proves nothing."""
    if report.price_amount is None:
        return Verdict(Effect.PARK, "the provider names no price for it", to)
    if (report.pay_currency or "").lower() != expected.pay_currency.lower():
        return Verdict(Effect.PARK, f"paid in {report.pay_currency} instead of {expected.pay_currency}", to)
    paid = report.actually_paid or Decimal(0)
    if paid <= 0 or expected.pay_amount is None:
        return Verdict(Effect.PARK, "the provider calls it paid, but no money arrived", to)
    slack = expected.pay_amount * tolerance / 100
    if paid < expected.pay_amount - slack:
        return Verdict(Effect.UNDERPAID, "less than asked arrived", to, missing=expected.pay_amount - paid)
    excess = paid - expected.pay_amount
    if excess > slack:
        return Verdict(Effect.PAID, "paid, with more than asked: the excess is owed back", to, owed_back=excess)
    return Verdict(Effect.PAID, "paid in full", to)
