"""An order as its merchant sees it."""

from typing import Annotated, Literal, Self
from uuid import UUID

import msgspec
from msgspec import Meta

from app.accounts import addresses
from app.contract import fields
from app.contract.fields import Currency, Mode, Money, Time, one_of
from app.orders import models
from app.orders.states import OrderStatus

STATUSES = tuple(status.value for status in OrderStatus)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer of yours is to pay for. `paid` and `fulfilled` are when that happened."""

    id: Annotated[UUID, Meta(description="The order's id.")]
    object: Annotated[Literal["order"], Meta(description="Always order.")]
    mode: Annotated[Mode, Meta(description="test or live.")]
    status: Annotated[str, one_of(STATUSES), Meta(description="Its status.")]
    amount: Annotated[Money, Meta(description="What the customer owes.")]
    currency: Annotated[Currency, Meta(description="ISO 4217, of amount.")]
    reference: Annotated[str | None, Meta(description="Your own reference for it, as you sent it.")]
    customer_email: Annotated[str | None, Meta(description="As you sent it.")]
    metadata: Annotated[dict[str, str], Meta(description="As you sent it.")]
    created: Annotated[Time, Meta(description="When it was created.")]
    paid: Annotated[Time | None, Meta(description="When it was paid in full.")]
    fulfilled: Annotated[Time | None, Meta(description="When it was fulfilled.")]

    @classmethod
    def from_row(cls, row: models.Order) -> Self:
        """By its row of ``customer_order``."""
        return cls(
            id=row.id,
            object="order",
            mode=fields.mode(row.test),
            status=row.status,
            amount=fields.digits(row.total, row.currency),
            currency=row.currency,
            reference=row.reference,
            customer_email=addresses.shown(row) or None,
            metadata=row.metadata,
            created=fields.time(row.created_at),
            paid=fields.time_or_none(row.paid_at),
            fulfilled=fields.time_or_none(row.fulfilled_at),
        )
