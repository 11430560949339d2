"""Orders, payments and refunds as merchants see them: in the API's answers and in the events alike. Pure.

Members are snake_case; money is a string with its currency beside it; times are RFC 3339 in UTC; ids are UUIDs.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol

from app.accounts import addresses
from app.core.money import Money, plain
from app.mail.states import UNREACHED
from app.orders.models import Order
from app.payments.api_status import CANCELLED, word
from app.payments.api_status import WORDS as PAYMENT_WORDS
from app.payments.classify import IN_FLIGHT, UNCLEAR, Outcome
from app.payments.create_for_merchants import PAYABLE
from app.payments.models import MerchantPayment, Payment
from app.refunds.create_for_merchants import claim_url
from app.refunds.models import MerchantRefund

__all__ = ["CANCELLED", "PAYMENT_WORDS", "mode", "order", "payment", "payment_word", "refund", "takes", "then"]

ASKING = {"pending", "confirming", "underpaid"}  # words of payments that may still ask for money


class Moded(Protocol):
    """An order, or a row with what is its order's."""

    @property
    def test(self) -> bool: ...


def order(row: Order) -> dict[str, Any]:
    """An order by its row of ``customer_order``."""
    return {
        "id": str(row.id), "object": "order", "mode": mode(row), "status": row.status,
        "amount": _digits(row.total, row.currency), "currency": row.currency, "reference": row.reference,
        "customer_email": addresses.shown(row) or None, "metadata": row.metadata,
        "created": _time(row.created_at), "paid": _time(row.paid_at), "fulfilled": _time(row.fulfilled_at),
    }  # fmt: skip


def payment(row: Payment, of: Moded) -> dict[str, Any]:
    """A payment by its row; ``of`` is its order's."""
    crypto = None
    if row.method == "crypto":
        open_ = takes(row)
        crypto = {
            "currency": row.pay_currency or None, "amount": _plain(row.pay_amount),
            "address": row.pay_address if open_ else None, "memo": row.memo if open_ else None,
            "received": _plain(row.actually_paid), "invoice_url": row.invoice_url if open_ else None,
        }  # fmt: skip
    currency, details, value = row.price_currency, dict(row.details), row.value
    underpaid = row.outcome == Outcome.UNDERPAID
    missing = max(row.price_amount - value, Decimal(0)) if underpaid else Decimal(0)
    refunded = row.refunded if isinstance(row, MerchantPayment) else Decimal(0)
    return {
        "id": str(row.id), "object": "payment", "mode": mode(of), "order_id": str(row.order_id),
        "status": payment_word(row), "method": row.method, "amount": _digits(row.price_amount, currency),
        "currency": currency, "captured": _digits(row.value, currency),
        "refunded": _digits(refunded, currency), "crypto": crypto,
        "underpaid": underpaid, "missing": _digits(missing, currency), "overpaid": row.excess > 0,
        "excess": _digits(max(row.excess - refunded, Decimal(0)), currency), "metadata": details.pop("metadata", {}),
        "details": details, "failure": row.failure, "created": _time(row.created_at),
        "updated": _time(row.updated_at), "expires": _time(row.expires_at),
    }  # fmt: skip


def takes(row: Payment) -> bool:
    """Whether coins may still be sent to a payment's address: it has not ended, its order takes money, and nothing that
    came there otherwise than asked waits for a person. The order's, where the row has them: see ``of_merchant``."""
    open_ = row.status == "waiting" or row.status in IN_FLIGHT
    rest = row.status == "partially_paid" and row.outcome == Outcome.UNDERPAID
    payable = not isinstance(row, MerchantPayment) or (row.order_status in PAYABLE and not row.parked)
    return (open_ or rest) and payable and row.outcome not in UNCLEAR


def then(now: dict[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """An object as it was when its event happened; what had ended by then offers no address and no link."""
    data = now | dict(told)
    if data["object"] == "refund" and data["status"] != "pending":
        data["claim_url"] = None
    if data["object"] == "payment" and data["crypto"] and data["status"] not in ASKING:
        data["crypto"] = data["crypto"] | {"address": None, "memo": None, "invoice_url": None}
    return data


def payment_word(row: Payment) -> str:
    """The API's word for how a payment stands."""
    return word(row)


def refund(row: MerchantRefund, of: Moded) -> dict[str, Any]:
    """A refund by its row; ``of`` is its order's."""
    return {
        "id": str(row.id), "object": "refund", "mode": mode(of), "order_id": str(row.order_id),
        "payment_id": str(row.payment_id) if row.payment_id else None, "status": row.status,
        "amount": _digits(row.amount, row.currency), "currency": row.currency, "reason": row.reason,
        "error": row.error or undelivered(row), "transaction": row.tx_hash, "created": _time(row.created_at),
        "ended": _time(row.ended_at), "claim_url": claim_url(row),
    }  # fmt: skip


def undelivered(row: MerchantRefund) -> str | None:
    """Why the customer of a refund that waits for an address was not written to; None where that is not known."""
    if row.status != "pending" or row.claimed_at is not None or row.letter_status not in UNREACHED:
        return None
    why = f" ({row.letter_error})" if row.letter_error else ""
    return f"The email with the claim link did not reach the customer{why}. Pass the claim link on yourself."


def mode(order_row: Moded) -> str:
    return "test" if order_row.test else "live"


def _digits(amount: Decimal, currency: str) -> str:
    return Money(amount, currency).digits


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None
