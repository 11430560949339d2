"""How a payment stands, in the API's words: by the provider's word and by what its money was worth to us. Pure."""

from decimal import Decimal
from typing import Any

from app.payments.classify import MONEY_MOVED, PAYS, Outcome
from app.payments.models import MerchantPayment, Payment

WORDS = {
    "waiting": "pending", "confirming": "confirming", "confirmed": "confirming", "sending": "confirming",
    "partially_paid": "underpaid", "finished": "success", "failed": "failed", "expired": "expired",
    "refunded": "refunded",
}  # fmt: skip
CANCELLED = "cancelled"  # the outcome of a payment whose merchant called it off; late money finds it as any expired one
WEIGHED: dict[str, str] = {
    **dict.fromkeys(PAYS, "success"),
    Outcome.WRONG_COIN: "failed",
    Outcome.UNVALUED: "failed",
    Outcome.UNDERPAID: "underpaid",
    # The provider calls it paid and we can't tell: it is looked at again, by us and by a person.
    **dict.fromkeys((Outcome.NO_MONEY, Outcome.NO_PRICE, Outcome.UNBELIEVABLE, Outcome.SETTLED_LOW), "confirming"),
}
"""Words of money that has arrived, by our own judgement: the provider's word alone makes no payment a success."""

EVENTS = {
    "confirming": "payment.confirming", "success": "payment.finished", "underpaid": "payment.partially_paid",
    "failed": "payment.failed", "expired": "payment.expired", "refunded": "payment.refunded",
}  # fmt: skip
"""Kinds of the timeline, by the word that a payment has come to."""


def word(row: Payment) -> str:
    """Of a payment; whether all of it went back is known of a merchant's alone."""
    refunded = row.refunded if isinstance(row, MerchantPayment) else Decimal(0)
    if row.value > 0 and refunded >= row.value:
        return "refunded"
    if row.status == "expired" and row.outcome == CANCELLED:
        return CANCELLED
    if row.status in MONEY_MOVED and row.outcome in WEIGHED:
        return WEIGHED[row.outcome]
    return WORDS[row.status]


def in_sql() -> str:
    """The same as an expression over columns of those names, with ``refunded``."""
    moved = f"status IN ({_texts(MONEY_MOVED)})"
    weighed = " ".join(f"WHEN {moved} AND outcome = '{outcome}' THEN '{said}'" for outcome, said in WEIGHED.items())
    plain = " ".join(f"WHEN status = '{status}' THEN '{said}'" for status, said in WORDS.items())
    return f"""CASE WHEN value > 0 AND refunded >= value THEN 'refunded'
      WHEN status = 'expired' AND outcome = '{CANCELLED}' THEN '{CANCELLED}' {weighed} {plain} END"""


def _texts(words: set[Any]) -> str:
    return ", ".join(f"'{one}'" for one in sorted(words))
