"""The documents the sandbox keeps. Times are milliseconds since 1970; prices and coins are Decimal."""

from __future__ import annotations

from decimal import Decimal

import msgspec

ZERO = Decimal(0)


class Record(msgspec.Struct, kw_only=True):
    """A document with the key it is kept under."""

    id: str


class Settings(Record, kw_only=True):
    """What the control panel can set; the defaults are providers that answer at once.

    `delivery_delay`, `search_lag`, `ipn_retry_interval`, `webhook_retry_interval`, `case_delay` are seconds.
    `payment_lifetime`, in seconds, replaces the 7 days (20 minutes at a fixed rate) after which a payment expires.
    `covering_percent`: a shortfall up to this share still counts as finished.
    `mails_per_second`: Resend's rate limit, None for no limit.
    `payout_mode`: verified payouts finish at once, or stay in processing (by_hand). `custody`: what can be paid out, in
    USD, whatever the coin. `eur_usd` and `rates_day` (an ISO date; None is the last working day): the exchange rates.
    """

    id: str = "settings"
    delivery_delay: Decimal = ZERO
    search_lag: Decimal = ZERO
    duplicate_mode: str = "refuse"
    ipn_retry_interval: Decimal = Decimal(5)
    webhook_retry_interval: Decimal = Decimal(5)
    case_delay: Decimal = Decimal(1)
    payment_lifetime: Decimal | None = None
    covering_percent: Decimal = ZERO
    mails_per_second: int | None = None
    balance: Decimal = Decimal(100_000)
    payout_mode: str = "finish"
    custody: Decimal = Decimal(1_000_000)
    eur_usd: Decimal = Decimal("1.10")
    rates_day: str | None = None


class Terms(msgspec.Struct, kw_only=True, frozen=True):
    """What the shop asked for when it made an invoice or a payment."""

    price_amount: Decimal
    price_currency: str
    order_id: str | None
    order_description: str | None
    ipn_url: str
    fixed_rate: bool
    fee_paid_by_user: bool


class Invoice(Record, kw_only=True):
    """A NOWPayments invoice; `pay_currency` None lets the customer choose the coin."""

    terms: Terms
    token_id: str
    pay_currency: str | None
    success_url: str | None
    cancel_url: str | None
    partially_paid_url: str | None
    created_at: int


class Payment(Record, kw_only=True):
    """A NOWPayments payment; the id is its number as text.

    `pending_case` is played `case_delay` after creation. `payin_hash` is the made-up transaction of the deposit.
    """

    terms: Terms
    invoice_id: str | None
    purchase_id: str
    token_id: str
    pay_amount: Decimal
    pay_currency: str
    pay_address: str
    memo: str | None
    created_at: int
    updated_at: int
    estimate_until: int
    valid_until: int
    status: str = "waiting"
    actually_paid: Decimal = ZERO
    deposit_fee: Decimal = ZERO
    service_fee: Decimal = ZERO
    outcome_amount: Decimal | None = None
    payin_hash: str | None = None
    parent_id: str | None = None
    extra_ids: list[str] | None = None
    pending_case: str | None = None


class Withdrawal(msgspec.Struct, kw_only=True):
    """One payment out of a payout batch; `fee` is in its own coin and known once it is sent."""

    id: str
    address: str
    currency: str
    amount: Decimal
    extra_id: str | None
    external_id: str | None
    ipn_url: str | None
    description: str | None
    status: str = "CREATING"
    error: str | None = None
    hash: str | None = None
    fee: Decimal | None = None


class Batch(Record, kw_only=True):
    """A NOWPayments payout: what was asked for in one call, and verified by one code.

    `step` is the 30-second step of the code that verified it; `tries` counts the wrong ones.
    """

    withdrawals: list[Withdrawal]
    created_at: int
    updated_at: int
    tries: int = 0
    step: int | None = None


class KeySlot(msgspec.Struct, kw_only=True):
    """One key of a Kinguin order, from the moment of purchase on; `serial` is base64 if `type` is an image."""

    id: str
    serial: str
    type: str
    status: str = "PROCESSING"


class Row(msgspec.Struct, kw_only=True):
    """One bought product of a Kinguin order; `price` is the unit price charged, in EUR."""

    kinguin_id: int
    product_id: str
    offer_id: str
    name: str
    qty: int
    price: Decimal
    request_price: Decimal
    key_type: str | None
    is_preorder: bool
    release_date: str
    keys: list[KeySlot]


class Order(Record, kw_only=True):
    """A Kinguin order. `due_at` is when what is missing arrives, None when only a hand on the panel helps."""

    external_id: str | None
    status: str
    rows: list[Row]
    charged: Decimal
    created_at: int
    updated_at: int
    visible_at: int
    ending: str
    due_at: int | None
    credited: Decimal = ZERO
    delivered_at: int | None = None
    returned_at: int | None = None


class OfferOverrides(Record, kw_only=True):
    """What the panel changed about a product, and what is left of its stock; None is the catalogue's value."""

    stock: int | None = None
    text_stock: int | None = None
    price: Decimal | None = None
    delay: Decimal | None = None
    partial: int | None = None
    image: bool | None = None
    mode: str = "normal"
    countries: list[str] | None = None
    tags: list[str] | None = None
    updated_at: int = 0


class Mail(Record, kw_only=True):
    """A mail Resend accepted. `sender` is `from`; `headers` are the custom ones."""

    sender: str
    to: list[str]
    cc: list[str]
    bcc: list[str]
    reply_to: list[str]
    subject: str
    html: str | None
    text: str | None
    headers: dict[str, str]
    tags: list[dict[str, str]]
    attachments: list[str]
    idempotency_key: str | None
    created_at: int
    scheduled_at: str | None
    last_event: str


class Replay(Record, kw_only=True):
    """A remembered first answer; the id is the Idempotency-Key, `digest` the SHA-256 of the payload."""

    digest: str
    answer: str
    created_at: int


class Attempt(msgspec.Struct, kw_only=True):
    """One call to the shop: its HTTP status, or why there is none."""

    at: int
    status: int | None
    error: str | None = None


class Notice(Record, kw_only=True):
    """One IPN or webhook. Notices of one `lane` go out one at a time.

    `state`: queued -> delivered | failed (attempts used up); dropped and refused ones are never sent.
    `tries` is how often it may be sent in all, `body` the exact text, `title` what a person reads.
    `empty_answer`: a 2xx counts only without a body, as Kinguin has it.
    """

    provider: str
    lane: str
    title: str
    url: str
    headers: dict[str, str]
    body: str
    created_at: int
    tries: int
    empty_answer: bool = False
    state: str = "queued"
    attempts: list[Attempt] = msgspec.field(default_factory=list)


class Fault(Record, kw_only=True):
    """One switched-on fault. `left` is how often it still fires, None without end; `path` is a substring filter."""

    provider: str
    mode: str
    rate: Decimal = Decimal(1)
    left: int | None = None
    seconds: Decimal | None = None
    path: str | None = None
    fired: int = 0
