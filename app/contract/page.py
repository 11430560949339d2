"""Lists: a page of objects, and how to ask for the next."""

from typing import Annotated

import msgspec
from msgspec import Meta

from app.contract.delivery import Delivery
from app.contract.endpoint import Endpoint
from app.contract.event import NumberedEvent
from app.contract.offers import CoinOffered, CurrencyOffered
from app.contract.order import Order
from app.contract.payment import Payment
from app.contract.refund import Refund

Next = Annotated[
    str | None, Meta(description="The `after` of the next page; null on the last.", examples=["AZqX0p0ifdmhRPYQgL8x9g"])
]
NoNext = Annotated[None, Meta(description="Always null: this list has one page.")]


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """A page of orders, the newest first."""

    data: list[Order]
    next: Next


class Payments(msgspec.Struct, frozen=True, kw_only=True):
    """A page of payments, the newest first."""

    data: list[Payment]
    next: Next


class Refunds(msgspec.Struct, frozen=True, kw_only=True):
    """A page of refunds, the newest first."""

    data: list[Refund]
    next: Next


class Deliveries(msgspec.Struct, frozen=True, kw_only=True):
    """A page of deliveries, the newest first."""

    data: list[Delivery]
    next: Next


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """All endpoints, the oldest first."""

    data: list[Endpoint]
    next: NoNext = None


class Currencies(msgspec.Struct, frozen=True, kw_only=True):
    """All currencies that orders may be in."""

    data: list[CurrencyOffered]
    next: NoNext = None


class Coins(msgspec.Struct, frozen=True, kw_only=True):
    """All coins that can be paid in now."""

    data: list[CoinOffered]
    next: NoNext = None


class Events(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of the feed, the oldest first."""

    data: list[NumberedEvent]
    next: Annotated[int, Meta(ge=0, description="The `after` to ask with from now on.")]
    more: Annotated[bool, Meta(description="Whether there is more already.")]
