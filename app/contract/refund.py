"""A refund as its merchant sees it."""

from typing import Annotated, Literal, Self
from uuid import UUID

import msgspec
from msgspec import Meta

from app.contract import fields
from app.contract.fields import Currency, Mode, Money, Time, one_of
from app.mail.states import UNREACHED
from app.refunds.create_for_merchants import claim_url
from app.refunds.models import MerchantRefund
from app.refunds.states import RefundStatus

STATUSES = tuple(status.value for status in RefundStatus)


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money of a payment that goes back. While `claim_url` is there, the customer names an address by it."""

    id: Annotated[UUID, Meta(description="The refund's id.")]
    object: Annotated[Literal["refund"], Meta(description="Always refund.")]
    mode: Annotated[Mode, Meta(description="test or live.")]
    order_id: Annotated[UUID, Meta(description="The order that is refunded.")]
    payment_id: Annotated[UUID | None, Meta(description="The payment that is refunded.")]
    status: Annotated[str, one_of(STATUSES), Meta(description="Its status.")]
    amount: Annotated[Money, Meta(description="The amount refunded.")]
    currency: Annotated[Currency, Meta(description="ISO 4217, of amount.")]
    reason: Annotated[str | None, Meta(description="As you sent it; null if that was blank.")]
    error: Annotated[str | None, Meta(description="Why it failed.")]
    transaction: Annotated[str | None, Meta(description="The transaction on the blockchain.")]
    created: Annotated[Time, Meta(description="When it was created.")]
    ended: Annotated[Time | None, Meta(description="When it was processed or failed.")]
    claim_url: Annotated[
        str | None,
        Meta(description="Where your customer names an address, while one is to be named: hand it on."),
    ]

    @classmethod
    def from_row(cls, row: MerchantRefund, *, test: bool) -> Self:
        """By its row; ``test``: the mode of its order."""
        return cls(
            id=row.id,
            object="refund",
            mode=fields.mode(test),
            order_id=row.order_id,
            payment_id=row.payment_id,
            status=row.status,
            amount=fields.digits(row.amount, row.currency),
            currency=row.currency,
            reason=row.reason.strip() or None,
            error=row.error or _undelivered(row),
            transaction=row.tx_hash,
            created=fields.time(row.created_at),
            ended=fields.time_or_none(row.ended_at),
            claim_url=claim_url(row),
        )


def _undelivered(row: MerchantRefund) -> str | None:
    """Why the customer of a refund that waits for an address was not written to; None where that is not known."""
    if row.status != "pending" or row.claimed_at is not None or row.letter_status not in UNREACHED:
        return None
    why = f" ({row.letter_error})" if row.letter_error else ""
    return f"The email with the claim link did not reach the customer{why}. Pass the claim link on yourself."
