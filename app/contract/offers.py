"""What orders may be in, and which coins pay them."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.contract.fields import Currency, Money


class CurrencyOffered(msgspec.Struct, frozen=True, kw_only=True):
    """`decimals`: digits after the point, by which `amount_minor` is read. The limits are inclusive."""

    code: Annotated[Currency, Meta(description="ISO 4217.")]
    object: Annotated[Literal["currency"], Meta(description="Always currency.")]
    decimals: Annotated[int, Meta(ge=0, le=3, description="Digits after the point.")]
    smallest: Annotated[Money, Meta(description="The least that an order may be of.")]
    largest: Annotated[Money, Meta(description="The most that an order may be of.")]


class CoinOffered(msgspec.Struct, frozen=True, kw_only=True):
    """`memo`: payments need one beside the address. `minimum` is in `currency`."""

    code: Annotated[str, Meta(description="What `crypto.currency` of a payment may be.", examples=["btc"])]
    object: Annotated[Literal["coin"], Meta(description="Always coin.")]
    name: Annotated[str, Meta(description="Its name.")]
    network: Annotated[str, Meta(description="The network that it is sent on.")]
    memo: Annotated[bool, Meta(description="Whether a memo is to be sent with it.")]
    minimum: Annotated[Money | None, Meta(description="The least it can pay; null where the provider decides it.")]
    currency: Annotated[Currency, Meta(description="ISO 4217, of minimum.")]
