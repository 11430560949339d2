"""A payment as its merchant sees it."""

from decimal import Decimal
from typing import Annotated, Literal, Self, cast
from uuid import UUID

import msgspec
from msgspec import Meta

from app.contract import fields
from app.contract.fields import CoinAmount, Currency, Mode, Money, Time, one_of
from app.payments import api_status, models
from app.payments.classify import IN_FLIGHT, UNCLEAR, Outcome
from app.payments.create_for_merchants import METHODS, PAYABLE
from app.payments.models import MerchantPayment

STATUSES = (
    "pending", "confirming", "success", "failed", "expired", "underpaid", "refunded", "cancelled",
)  # fmt: skip
ASKING = {"pending", "confirming", "underpaid"}  # statuses of payments that may still ask for money


class CryptoState(msgspec.Struct, frozen=True, kw_only=True):
    """Where coins are to be sent to; null until the address stands, and once nothing is to be sent there any more."""

    currency: Annotated[str | None, Meta(description="The coin, such as btc or usdttrc20.")]
    amount: Annotated[CoinAmount | None, Meta(description="The amount to send, in the coin.")]
    address: Annotated[str | None, Meta(description="The address to send to; null once it takes no more.")]
    memo: Annotated[str | None, Meta(description="The memo to send with it, if the coin needs one.")]
    received: Annotated[CoinAmount | None, Meta(description="The amount received, in the coin.")]
    invoice_url: Annotated[str | None, Meta(description="A hosted page to pay on; null when address is.")]

    def closed(self) -> "CryptoState":
        """The same once nothing is to be sent there any more."""
        return msgspec.structs.replace(self, address=None, memo=None, invoice_url=None)


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to pay an order. `captured` is what it brought, `details` what is kept of a card or a VPA.

    `missing` is what an underpaid one lacks, `excess` what of an overpaid one is still owed
    back: refunds lower it, and `overpaid` stays true.
    """

    id: Annotated[UUID, Meta(description="The payment's id.")]
    object: Annotated[Literal["payment"], Meta(description="Always payment.")]
    mode: Annotated[Mode, Meta(description="test or live.")]
    order_id: Annotated[UUID, Meta(description="The order it pays.")]
    status: Annotated[str, one_of(STATUSES), Meta(description="Its status.")]
    method: Annotated[str, one_of(METHODS), Meta(description="How the customer pays.")]
    amount: Annotated[Money, Meta(description="The amount asked for.")]
    currency: Annotated[Currency, Meta(description="ISO 4217, of amount and captured.")]
    captured: Annotated[Money, Meta(description="The amount received, from which refunds are taken.")]
    refunded: Annotated[Money, Meta(description="The amount refunded.")]
    crypto: Annotated[CryptoState | None, Meta(description="Where to send coins; null for other methods.")]
    underpaid: Annotated[bool, Meta(description="Whether less than the amount arrived, beyond the tolerance.")]
    missing: Annotated[Money, Meta(description="How much is missing; zero if it is not underpaid.")]
    overpaid: Annotated[bool, Meta(description="Whether more arrived than was asked for.")]
    excess: Annotated[
        Money,
        Meta(description="How much more is owed back still: refunds lower it. All, if it was paid already."),
    ]
    metadata: Annotated[dict[str, str], Meta(description="As you sent it with the payment.")]
    details: Annotated[
        dict[str, str], Meta(description="For upi vpa; for card last4 and network. Never a card's number.")
    ]
    failure: Annotated[str | None, Meta(description="Why it failed, in a word such as declined or cancelled.")]
    created: Annotated[Time, Meta(description="When it was created.")]
    updated: Annotated[Time, Meta(description="When it last changed.")]
    expires: Annotated[Time | None, Meta(description="When it expires.")]

    @classmethod
    def from_row(cls, row: models.Payment, *, test: bool) -> Self:
        """By its row; ``test``: the mode of its order."""
        currency, details = row.price_currency, cast(dict[str, str], row.details)
        refunded = row.refunded if isinstance(row, MerchantPayment) else Decimal(0)
        underpaid = row.outcome == Outcome.UNDERPAID
        missing = max(row.price_amount - row.value, Decimal(0)) if underpaid else Decimal(0)
        return cls(
            id=row.id,
            object="payment",
            mode=fields.mode(test),
            order_id=row.order_id,
            status=api_status.word(row),
            method=row.method,
            amount=fields.digits(row.price_amount, currency),
            currency=currency,
            captured=fields.digits(row.value, currency),
            refunded=fields.digits(refunded, currency),
            crypto=_crypto(row) if row.method == "crypto" else None,
            underpaid=underpaid,
            missing=fields.digits(missing, currency),
            overpaid=row.excess > 0,
            excess=fields.digits(max(row.excess - refunded, Decimal(0)), currency),
            metadata=cast(dict[str, str], row.details.get("metadata", {})),
            details={name: kept for name, kept in details.items() if name != "metadata"},
            failure=row.failure,
            created=fields.time(row.created_at),
            updated=fields.time(row.updated_at),
            expires=fields.time_or_none(row.expires_at),
        )


def _takes_money(row: models.Payment) -> bool:
    """Whether coins may still be sent to a payment's address: it has not ended, its order takes money, and nothing that
    came there otherwise than asked waits for a person. The order's, where the row has them: see ``of_merchant``."""
    open_ = row.status == "waiting" or row.status in IN_FLIGHT
    rest = row.status == "partially_paid" and row.outcome == Outcome.UNDERPAID
    payable = not isinstance(row, MerchantPayment) or (row.order_status in PAYABLE and not row.parked)
    return (open_ or rest) and payable and row.outcome not in UNCLEAR


def _crypto(row: models.Payment) -> CryptoState:
    told = CryptoState(
        currency=row.pay_currency or None,
        amount=fields.plain(row.pay_amount),
        address=row.pay_address,
        memo=row.memo,
        received=fields.plain(row.actually_paid),
        invoice_url=row.invoice_url,
    )
    return told if _takes_money(row) else told.closed()
