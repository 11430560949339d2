"""Payments that a person has to look at: the order's reason for each such outcome, and its end once it is judged."""

from uuid import UUID

from app.core import db
from app.issues.codes import IssueCode
from app.orders import service as orders
from app.payments.classify import NOTHING, UNCLEAR, Classification, Outcome
from app.payments.models import Payment

REASON = {
    Outcome.LATE: IssueCode.PAID_LATE,
    Outcome.WRONG_COIN: IssueCode.WRONG_COIN,
    Outcome.UNVALUED: IssueCode.WRONG_COIN_UNVALUED,
    Outcome.FURTHER_DEPOSIT: IssueCode.FURTHER_DEPOSIT,
    Outcome.NOT_NEEDED: IssueCode.MONEY_NOT_NEEDED,
    Outcome.NO_MONEY: IssueCode.PAID_WITHOUT_MONEY,
    Outcome.NO_PRICE: IssueCode.PAYMENT_WITHOUT_PRICE,
    Outcome.UNBELIEVABLE: IssueCode.PAYMENT_UNBELIEVABLE,
    Outcome.UNKNOWN_WORD: IssueCode.PAYMENT_STATUS_UNKNOWN,
    Outcome.OTHER_ORDER: IssueCode.PAYMENT_OTHER_ORDER,
    Outcome.OTHER_AMOUNT: IssueCode.PAYMENT_OTHER_AMOUNT,
    Outcome.SETTLED_LOW: IssueCode.SETTLED_LOW,
    Outcome.CONTRADICTED: IssueCode.PAID_AFTER_SENT_BACK,
    Outcome.SENT_BACK: IssueCode.PAYMENT_SENT_BACK,
    Outcome.FAILED_WITH_MONEY: IssueCode.PAYMENT_FAILED_WITH_MONEY,
}
"""The order's reason for each outcome of NEEDS_REVIEW."""


async def end_doubt(order_id: UUID, before: Payment, verdict: Classification) -> None:
    """A payment that could not be judged has been judged now: what stood for that ends, if no other is in that doubt.

    Args:
        order_id: the locked order.
        before: the payment's row as it was before this report.
        verdict: what the report means, already noted.
    """
    doubts = {Outcome(before.outcome)} if before.outcome in UNCLEAR else set()
    if before.doubted is not None:
        doubts |= {Outcome.SETTLED_LOW}
    if verdict.outcome in NOTHING:
        return
    for doubt in doubts - {verdict.outcome}:
        if not await _still(order_id, doubt):
            await orders.resolve_reasons(order_id, {REASON[doubt]})


async def _still(order_id: UUID, doubt: Outcome) -> bool:
    """Whether a payment of the order stands in this doubt."""
    return bool(
        await db.fetch_value(
            """SELECT EXISTS (SELECT FROM payment WHERE order_id = $1
                 AND (outcome = $2 OR doubted IS NOT NULL AND $2 = $3))""",
            order_id, doubt.value, Outcome.SETTLED_LOW.value,
        )
    )  # fmt: skip
