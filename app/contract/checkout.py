"""An order as the SDK in a merchant's page is told it: what its customer may know."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from app.contract import payment
from app.contract.fields import Currency, Mode, Money, one_of
from app.contract.order import STATUSES
from app.payments.create_for_merchants import METHODS


class CheckoutPayment(msgspec.Struct, frozen=True, kw_only=True):
    """The newest attempt to pay an order."""

    id: UUID
    status: Annotated[str, one_of(payment.STATUSES)]
    method: Annotated[str, one_of(METHODS)]
    failure: Annotated[str | None, Meta(description="Why it failed, in a word such as declined.")]


class CheckoutOrder(msgspec.Struct, frozen=True, kw_only=True):
    """How an order stands. `paid` is true once it is paid or fulfilled."""

    id: UUID
    status: Annotated[str, one_of(STATUSES)]
    paid: bool
    amount: Money
    currency: Currency
    mode: Mode
    payment: CheckoutPayment | None
