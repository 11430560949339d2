"""What this room's queries return."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from app.mail.states import LetterStatus
from app.refunds.states import RefundStatus


class Refund(msgspec.Struct, frozen=True):
    """A refund's row; see ``tables.Refund``."""

    id: UUID
    order_id: UUID
    status: RefundStatus
    amount: Decimal
    currency: str
    reason: str
    asked_by: str
    evidence: str
    coin: str | None
    pay_amount: Decimal | None
    link_id: UUID | None
    address: str | None
    memo: str | None
    claimed_at: datetime | None
    checked_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    by_hand: bool
    attempt: int
    asked_at: datetime | None
    batch_id: str | None
    payout_id: str | None
    payout_status: str | None
    code_step: int | None
    codes: int
    tx_hash: str | None
    error: str | None
    next_check_at: datetime | None
    checks: int
    created_at: datetime
    ended_at: datetime | None
    payment_id: UUID | None


class SeenBy(msgspec.Struct, frozen=True):
    """Who was shown a key, and when."""

    at: datetime
    actor: str
    ip: str
    user_agent: str


class ShownKey(msgspec.Struct, frozen=True):
    """A key that its customer has seen, first ``at``."""

    key: str
    item: str
    at: datetime
    to: list[SeenBy]


class Evidence(msgspec.Struct, frozen=True):
    """What is true of an order's keys and credit when a refund is asked for, as its row keeps it."""

    shown: list[ShownKey] = []
    unseen: list[str] = []
    credit: dict[str, object] | None = None


class ClaimedRefund(Refund, frozen=True):
    """A refund whose claim link was opened, with the merchant's name and reference, where it is a merchant's."""

    reference: str | None
    seller: str | None


class MerchantRefund(Refund, frozen=True):
    """A refund of a merchant's order, with what is its order's, and how the letter with the claim link stands."""

    merchant_id: UUID
    test: bool
    reference: str | None
    email: str
    email_typed: str | None
    letter_status: LetterStatus | None
    letter_error: str | None


class ListedRefund(Refund, frozen=True):
    """A refund as a line of the admin's list, with its order's email and whose it is, if not ours."""

    email: str
    test: bool
    reference: str | None
    merchant: str | None
