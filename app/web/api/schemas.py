"""The shapes of the API's answers, for its description. Money is a string, times are RFC 3339 in UTC."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.orders.states import OrderStatus
from app.refunds.states import RefundStatus
from app.web.api.payments import STATUSES
from app.webhooks.events import TEST, TYPES
from app.webhooks.states import DeliveryStatus

Time = Annotated[datetime, Meta(tz=True, examples=["2026-11-21T08:30:00.000Z"])]
Mode = Literal["live", "test"]
Money = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]{2,3})?$", examples=["49.90"])]
CoinAmount = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?$", examples=["0.00041"])]
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", examples=["USD"])]


def _one_of(words: Iterable[str]) -> Meta:
    return Meta(extra_json_schema={"enum": [str(word) for word in words]})


OrderWord = Annotated[str, _one_of(OrderStatus)]
PaymentWord = Annotated[str, _one_of(STATUSES)]
RefundWord = Annotated[str, _one_of(RefundStatus)]
DeliveryWord = Annotated[str, _one_of(DeliveryStatus)]
EventType = Annotated[str, _one_of((*TYPES, TEST))]


class Order(msgspec.Struct, tag_field="object", tag="order"):
    """What a customer of yours is to pay for. `paid` and `fulfilled` are when that happened."""

    id: uuid.UUID
    mode: Mode
    status: OrderWord
    amount: Money
    currency: Currency
    reference: str | None
    customer_email: str | None
    metadata: dict[str, str]
    created: Time
    paid: Time | None
    fulfilled: Time | None


class CryptoState(msgspec.Struct):
    """Where coins are to be sent to; null until the address stands, and once nothing is to be sent there any more."""

    currency: str | None
    amount: CoinAmount | None
    address: str | None
    memo: str | None
    received: CoinAmount | None
    invoice_url: str | None


class Payment(msgspec.Struct, tag_field="object", tag="payment"):
    """One attempt to pay an order. `captured` is what it brought, `details` what is kept of a card or a VPA.

    `missing` is what an underpaid one lacks, `excess` what of an overpaid one is still owed
    back: refunds lower it, and `overpaid` stays true.
    """

    id: uuid.UUID
    mode: Mode
    order_id: uuid.UUID
    status: PaymentWord
    method: Literal["crypto", "upi", "card"]
    amount: Money
    currency: Currency
    captured: Money
    refunded: Money
    underpaid: bool
    missing: Money
    overpaid: bool
    excess: Money
    crypto: CryptoState | None
    metadata: dict[str, str]
    details: dict[str, Any]
    failure: str | None
    created: Time
    updated: Time
    expires: Time | None


class Refund(msgspec.Struct, tag_field="object", tag="refund"):
    """Money of a payment that goes back. While `claim_url` is there, the customer names an address by it."""

    id: uuid.UUID
    mode: Mode
    order_id: uuid.UUID
    payment_id: uuid.UUID | None
    status: RefundWord
    amount: Money
    currency: Currency
    reason: str
    error: str | None
    transaction: str | None
    created: Time
    ended: Time | None
    claim_url: str | None = None


class Endpoint(msgspec.Struct, tag_field="object", tag="endpoint"):
    id: uuid.UUID
    mode: Mode
    url: str
    name: str
    types: list[EventType]
    disabled: Time | None
    disabled_why: str | None
    created: Time


class EndpointWithSecret(Endpoint, tag="endpoint"):
    """`secret` signs what is sent; it is shown in this answer alone."""

    secret: Annotated[str, Meta(pattern="^whsec_[A-Za-z0-9+/=]+$")]


class EndpointRemoved(msgspec.Struct, tag_field="object", tag="endpoint"):
    id: uuid.UUID
    deleted: Literal[True]


class TestEventSent(msgspec.Struct):
    event_id: uuid.UUID
    endpoint_id: uuid.UUID


class DeliveriesRetried(msgspec.Struct):
    endpoint_id: uuid.UUID
    retried: Annotated[int, Meta(ge=0)]


class Tested(msgspec.Struct, tag_field="object", tag="endpoint"):
    """What a test event is about: the endpoint it was sent to."""

    id: uuid.UUID
    url: str
    name: str


class Event(msgspec.Struct):
    """Something that happened. `data` is the object as it was then; `sequence` counts that object's events."""

    id: uuid.UUID
    type: EventType
    mode: Mode
    created: Time
    object: str
    object_id: uuid.UUID
    sequence: Annotated[int, Meta(ge=1)]
    data: Order | Payment | Refund | Tested


class NumberedEvent(Event):
    """`number` counts the whole feed."""

    number: Annotated[int, Meta(ge=1)]


class Attempt(msgspec.Struct):
    """One request to the endpoint and what came back: the first bytes of it, secrets masked."""

    number: int
    at: Time
    ms: int
    outcome: str
    status: int | None
    address: str | None
    headers: dict[str, Any]
    response: str
    error: str | None


class Delivery(msgspec.Struct, tag_field="object", tag="delivery"):
    """One event's way to one endpoint."""

    id: uuid.UUID
    mode: Mode
    endpoint_id: uuid.UUID
    event_id: uuid.UUID
    type: EventType
    object_id: uuid.UUID
    status: DeliveryWord
    attempts: int
    last_attempt: Time | None
    last_status: int | None
    last_outcome: str | None
    next_attempt: Time | None
    created: Time
    ended: Time | None


class DeliveryWithLog(Delivery, tag="delivery"):
    """`payload` is what is sent, `log` every attempt, the oldest first."""

    payload: Event
    log: list[Attempt]


Next = Annotated[
    str | None, Meta(description="The `after` of the next page; null on the last.", examples=["AZqX0p0ifdmhRPYQgL8x9g"])
]


class CurrencyOffered(msgspec.Struct, tag_field="object", tag="currency"):
    """`decimals`: digits after the point, by which `amount_minor` is read. The limits are inclusive."""

    code: Currency
    decimals: Annotated[int, Meta(ge=0, le=3)]
    smallest: Money
    largest: Money


class CoinOffered(msgspec.Struct, tag_field="object", tag="coin"):
    """`memo`: payments need one beside the address. `minimum` is in `currency`."""

    code: str
    name: str
    network: str
    memo: bool
    minimum: Money | None
    currency: Currency


class Currencies(msgspec.Struct):
    data: list[CurrencyOffered]
    next: None


class Coins(msgspec.Struct):
    data: list[CoinOffered]
    next: None


class Orders(msgspec.Struct):
    data: list[Order]
    next: Next


class Payments(msgspec.Struct):
    data: list[Payment]
    next: Next


class Refunds(msgspec.Struct):
    data: list[Refund]
    next: Next


class Endpoints(msgspec.Struct):
    data: list[Endpoint]
    next: Next


class Deliveries(msgspec.Struct):
    data: list[Delivery]
    next: Next


class Events(msgspec.Struct):
    """`next` is the `after` to ask with from now on; `more` tells whether there is more already."""

    data: list[NumberedEvent]
    next: Annotated[int, Meta(ge=0)]
    more: bool


class Fault(msgspec.Struct):
    """An error (RFC 9457). `code` is stable, `type` is its page, `field` what it is about."""

    type: Annotated[str, Meta(extra_json_schema={"format": "uri"})]
    title: str
    status: int
    detail: str
    code: Annotated[str, Meta(pattern="^[a-z_]+$")]
    field: str | msgspec.UnsetType = msgspec.UNSET
