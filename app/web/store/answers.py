"""What the shop answers to those who ask for JSON. Members are in camelCase, times RFC 3339 in UTC."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

import msgspec
from msgspec import Meta

from app.core.money import Money


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """An object of the shop's JSON."""


class Amount(Answer, frozen=True):
    amount: Annotated[str, Meta(examples=["19.99"])]
    currency: Annotated[str, Meta(examples=["USD"])]

    @classmethod
    def of(cls, money: Money) -> Self:
        return cls(money.digits, money.currency)


class CatalogItem(Answer, frozen=True):
    product_id: UUID
    slug: str
    name: str
    platform: str
    region: str
    price: Amount
    stock: int


class Catalog(Answer, frozen=True):
    items: list[CatalogItem]
    total: int
    next: str | None


class OrderPlaced(Answer, frozen=True):
    """`accessToken` opens this order: send it as Bearer. It is not shown again."""

    order_id: UUID
    status: str
    total: Amount
    access_token: str
    job_id: UUID
    links: dict[str, str]

    def __repr__(self) -> str:
        return f"OrderPlaced({self.order_id})"  # the token is nobody's to log


class PaymentAsked(Answer, frozen=True):
    job_id: UUID
    order_id: UUID


class JobState(Answer, frozen=True):
    job_id: UUID
    status: str
    progress: Annotated[int, Meta(ge=0, le=100)]
    error: str | None


class PaymentState(Answer, frozen=True):
    payment_id: str | None
    status: str
    pay_address: str | None
    pay_amount: str
    pay_currency: str
    memo: str | None
    actually_paid: str
    invoice_url: str | None
    expires_at: datetime | None


class KeyState(Answer, frozen=True):
    key_id: UUID
    revealed_at: datetime | None


class ItemState(Answer, frozen=True):
    item_id: UUID
    product_id: UUID
    name: str
    quantity: int
    status: str
    keys: list[KeyState]


class Choices(Answer, frozen=True):
    """Money that bought nothing: what could be had back, what is missing at today's price, and the ways to choose."""

    held: Amount
    missing: Amount | None
    missing_coin: str | None
    pay_currency: str | None
    ways: list[str]


class ChoiceMade(Answer, frozen=True):
    order_id: UUID
    choice: str
    job_id: UUID | None


class OrderState(Answer, frozen=True):
    order_id: UUID
    status: str
    fulfillment_status: str
    progress: Annotated[int, Meta(ge=0, le=100)]
    total: Amount
    payment: PaymentState | None
    choices: Choices | None
    items: list[ItemState]


class Link(Answer, frozen=True):
    key_id: UUID
    url: str
    expires_at: datetime


class Links(Answer, frozen=True):
    links: list[Link]


class RevealedKey(Answer, frozen=True):
    """`value` is the key, or the image in base64 where `type` is one."""

    key_id: UUID
    type: str
    value: str
    first_reveal: bool
    revealed_at: datetime | None

    def __repr__(self) -> str:
        return f"RevealedKey({self.key_id})"  # the key is nobody's to log


class Revealed(Answer, frozen=True):
    item_id: UUID
    keys: list[RevealedKey]


class AuditEntry(Answer, frozen=True):
    at: datetime
    action: str
    key_id: UUID | None
    actor: str
    ip: str
    user_agent: str


class Audit(Answer, frozen=True):
    entries: list[AuditEntry]
