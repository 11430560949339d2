"""A merchant's orders: an amount that its customer owes it, placed by the merchant and never ended by an attempt.

What was bought is the merchant's own to deliver, so that a paid order is fulfilled at once (``service.settle``).
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from app.accounts import addresses
from app.accounts.addresses import Address
from app.core import clock, db
from app.core.db import encode
from app.core.errors import Conflict, Invalid, NotFound
from app.core.i18n import _
from app.core.ids import new_id
from app.core.money import Money, decimals, smallest
from app.core.state_machine import move
from app.history import service as history
from app.orders import models, queries, service
from app.orders.states import MOVES, OrderStatus
from app.orders.tables import Order

CURRENCIES = ("USD", "EUR", "GBP", "INR", "JPY", "KWD")  # that the payment provider prices in; test mode takes the same
MOST = 1_000_000  # an order, in major units: more is a slip
MOST_WITHOUT_DECIMALS = 100_000_000  # the same for yen, whose unit is worth a cent
REFERENCE = re.compile(r"[^\x00-\x1f\x7f]{1,128}")
MOST_METADATA, LONGEST_NAME, LONGEST_VALUE = 50, 40, 500  # entries, and characters


class BadCharge(Invalid):
    title = "That order can't be placed"


class NoSuchOrder(NotFound):
    title = "No such order"


class OrderNotCancellable(Conflict):
    title = "This order can't be cancelled any more"


def largest(currency: str) -> Money:
    """The most that one order may ask for."""
    return Money(Decimal(MOST if decimals(currency) else MOST_WITHOUT_DECIMALS), currency)


async def create(
    merchant_id: UUID,
    *,
    test: bool,
    amount: Money,
    reference: str,
    email: str = "",
    metadata: Mapping[str, str] | None = None,
) -> models.Order:
    """Place an order of ``amount``, in the surrounding transaction or one of its own. Returns its row.

    Raises BadCharge, and BadEmail of field ``customer_email``.
    """
    _check(amount, reference)
    to = _email(email)
    order_id, more = new_id(), checked_metadata(metadata or {})
    async with db.transaction():
        order = await db.fetch_one_as(
            models.Order,
            """INSERT INTO customer_order (id, email, email_typed, status, fulfillment_status, currency,
                 subtotal, discount, total, created_at, merchant_id, test, reference, metadata, published_seq)
               VALUES ($1, $2, $10, 'created', 'pending', $3, $4, 0, $4, $5, $6, $7, $8, $9::jsonb, 0) RETURNING *""",
            order_id, to.email, amount.currency, amount.amount, clock.now(), merchant_id, test, reference, encode(more),
            to.kept_typed,
        )  # fmt: skip
        await db.write(*history.opening(order_id, "order.created", total=amount.as_json()))
    assert order is not None
    return order


def _check(amount: Money, reference: str) -> None:
    if amount.currency not in CURRENCIES:
        raise BadCharge(_("Use one of these currencies: %(names)s.", names=", ".join(CURRENCIES)), field="currency")
    most = largest(amount.currency)
    if not (amount.amount > 0 and amount <= most):
        least = Money(smallest(amount.currency), amount.currency)
        raise BadCharge(
            _(
                "Send an amount from %(least)s to %(most)s %(currency)s.",
                least=least.digits,
                most=most.digits,
                currency=amount.currency,
            ),
            field="amount",
        )
    if not REFERENCE.fullmatch(reference):
        raise BadCharge("Send your own reference: 1 to 128 printable characters.", field="reference")


def _email(text: str) -> Address:
    """A merchant's customer's address. One that our mail can't reach costs no order: the merchant's own may."""
    if not addresses.clean(text):
        return Address("", "")
    try:
        return addresses.taken(text)
    except addresses.BadEmail as bad:
        raise addresses.BadEmail(bad.detail, field="customer_email") from None


def checked_metadata(given: Mapping[str, str]) -> dict[str, str]:
    """A merchant's own notes, as they were. Raises BadCharge of field ``metadata`` for what we don't keep."""
    fits = len(given) <= MOST_METADATA and all(
        isinstance(v, str) and 0 < len(k) <= LONGEST_NAME and len(v) <= LONGEST_VALUE and "\x00" not in k + v
        for k, v in given.items()
    )
    if not fits:
        raise BadCharge(
            _(
                "Use at most %(most)s entries: names up to %(name)s and texts up to %(text)s characters.",
                most=MOST_METADATA,
                name=LONGEST_NAME,
                text=LONGEST_VALUE,
            ),
            field="metadata",
        )
    return dict(given)


async def payable_again(order_id: UUID) -> None:
    """The attempt that was under way came to nothing: the order waits for another."""
    if await move(Order, order_id, OrderStatus.WAITING, MOVES) is not None:
        await history.record(order_id, "order.payable_again")


async def cancel(merchant_id: UUID, test: bool, order_id: UUID) -> models.Order:
    """The merchant calls an order off while no money lies with it; what comes all the same can go back. Returns it.

    Raises NoSuchOrder or OrderNotCancellable.
    """
    async with service.changing(order_id, owner=service.Owner(merchant_id, test)) as order:
        if order is None:
            raise NoSuchOrder
        try:
            await service.cancel(order_id)
        except service.OrderClosed:
            raise OrderNotCancellable("Money for it was seen, or the order is finished.") from None
        found = await queries.of_merchant(merchant_id, test, order_id)
    assert found is not None
    return found
