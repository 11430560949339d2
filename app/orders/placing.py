"""Placing an order: priced from our own tables, within the limits, all of it stored or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import msgspec

from app.accounts.addresses import Address
from app.catalog import codes, credits, rates
from app.catalog import queries as catalog
from app.catalog import service as discounts
from app.catalog.models import Listed
from app.core import clock, db
from app.core.db import Write
from app.core.errors import Conflict, Invalid
from app.core.i18n import _
from app.core.ids import new_id
from app.core.money import Money
from app.core.settings import settings
from app.history import service as history
from app.mail import mailboxes
from app.mail.mailboxes import Family
from app.orders import letters
from app.orders.models import ProductUnits, ScarceItem
from app.queue import service as jobs
from app.queue.service import Posting

MOST_ITEMS = 10  # products an order: the supplier's limit (kinguin.md, 4)
MOST_OF_ONE = 9  # units of one product: likewise
SCARCE = 100  # units left from which on it is asked whose payments are under way
HELD_SEEN = timedelta(days=1)  # how long an order holds its units after it was placed, once its payment is seen
HELD_PAID = timedelta(hours=1)  # and after it was paid: by then they are bought, or the supplier has none


class BadItems(Invalid):
    title = "Those items can't be ordered"


class OutOfStock(Conflict):
    title = "Not enough in stock"


@dataclass(frozen=True, slots=True)
class Wanted:
    """One line of a request: what, and how many. Prices never come from a request."""

    product_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A new order and the job that makes its payment."""

    order_id: UUID
    total: Money
    job_id: UUID


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order would cost: our own prices, our own sums."""

    lines: list[tuple[Listed, int]]
    subtotal: Money
    discount: Money
    code: str | None
    percent: Decimal | None

    @property
    def total(self) -> Money:
        return self.subtotal - self.discount


async def quote(wanted: Sequence[Wanted], discount_code: str | None = None, *, email: str = "") -> Quote:
    """Price a request; a credit's code counts for its own ``email``.

    Raises SalesStopped, BadItems, OutOfStock or
    UnknownDiscount."""
    await rates.must_sell()
    if not wanted:
        raise BadItems("Choose at least one game.", field="items")
    if len(wanted) > MOST_ITEMS or len({w.product_id for w in wanted}) != len(wanted):
        raise BadItems(
            _("An order can have 1 to %(most_items)s different games.", most_items=MOST_ITEMS), field="items"
        )
    if any(not 1 <= w.quantity <= MOST_OF_ONE for w in wanted):
        raise BadItems(
            _("Choose a quantity from 1 to %(most_of_one)s for each game.", most_of_one=MOST_OF_ONE), field="quantity"
        )
    found = await catalog.listed([w.product_id for w in wanted])
    lines = []
    for want in wanted:
        product = found.get(want.product_id)
        if product is None:
            raise BadItems("One of these games is no longer sold. Remove it and try again.", field="items")
        if product.stock < want.quantity:
            left = _("Only %(stock)s left", stock=product.stock) if product.stock else _("Sold out")
            raise OutOfStock(
                _("%(name)s: %(left)s. Change the quantity and try again.", name=product.name, left=left),
                field="quantity",
            )
        lines.append((product, want.quantity))
    await _leave_to_payers(lines)
    subtotal = sum((p.price * n for p, n in lines), Money(Decimal(0), settings().shop_currency))
    if not discount_code:
        return Quote(lines, subtotal, subtotal - subtotal, None, None)
    if credits.is_credit(discount_code):
        return await _with_credit(lines, subtotal, discount_code.strip().upper(), email)
    code, percent, off = await discounts.discount_for(discount_code, subtotal)
    return Quote(lines, subtotal, off, code, percent)


async def _leave_to_payers(lines: Sequence[tuple[Listed, int]]) -> None:
    """Last units that somebody is paying for are not offered to the next one. Raises OutOfStock."""
    scarce = [(product, quantity) for product, quantity in lines if product.stock - quantity < SCARCE]
    taken = await being_paid([product.id for product, _ in scarce]) if scarce else {}
    for product, quantity in scarce:
        left = product.stock - taken.get(product.id, 0)
        if left < quantity:
            raise OutOfStock(_few(product.name, left), field="quantity")


def _few(name: str, left: int) -> str:
    if left > 0:
        return _("%(name)s: only %(left)s left. Try again in a few minutes.", name=name, left=left)
    return _("%(name)s: someone is paying for the last one right now. Try again in a few minutes.", name=name)


async def being_paid(product_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Units of orders whose payment is seen or in, by product, as they may not be bought yet. It ends itself."""
    now = clock.now()
    rows = await db.fetch_as(
        ProductUnits,
        """SELECT i.product_id, sum(i.quantity) AS units
           FROM customer_order o JOIN order_item i ON i.order_id = o.id AND i.status = 'pending'
           WHERE o.status IN ('confirming', 'paid') AND o.created_at > $2 AND (o.paid_at IS NULL OR o.paid_at > $3)
             AND i.product_id = ANY($1) GROUP BY i.product_id""",
        list(product_ids), now - HELD_SEEN, now - HELD_PAID,
    )  # fmt: skip
    return {row.product_id: row.units for row in rows}


async def taken_meanwhile(order_id: UUID) -> str | None:
    """The name of a game of an unpaid order whose last units others are paying for or have bought; None if none is."""
    rows = await db.fetch_as(
        ScarceItem,
        """SELECT i.name, i.product_id, i.quantity, p.stock FROM order_item i JOIN product p ON p.id = i.product_id
           WHERE i.order_id = $1 AND p.stock - i.quantity < $2 ORDER BY i.position""",
        order_id, SCARCE,
    )  # fmt: skip
    taken = await being_paid([row.product_id for row in rows]) if rows else {}
    short = (row.name for row in rows if row.stock - taken.get(row.product_id, 0) < row.quantity)
    return next(short, None)


async def _with_credit(lines: list[tuple[Listed, int]], subtotal: Money, code: str, email: str) -> Quote:
    left = await credits.left(code[:32].replace("\x00", ""), email, subtotal.currency)
    if left is None:
        why = _("This credit is used up, or it belongs to a different email.")
        if not email:
            why = _("Enter your email first: store credit works for one email only.")
        raise discounts.UnknownDiscount(why, field="discount_code")
    return Quote(lines, subtotal, min(left, subtotal), code, None)


async def place(to: Address | str, price: Quote, *, pay_currency: str | None = None) -> Placed:
    """Store an order with its items, its first event, its payment's job and its first letter, all or nothing.

    ``to``: as ``addresses.read`` gives it.
    """
    order_id, to = new_id(), to if isinstance(to, Address) else Address(to, to)
    email = to.email
    payment = _payment_job(order_id)
    writes = (
        *_order_writes(order_id, to, price, pay_currency),
        *history.opening(order_id, "order.created", total=price.total.as_json()),
        payment.write,
    )
    if price.code:
        async with db.transaction():
            if not await codes.take(price.code, email, price.discount.amount, order_id):
                raise discounts.UnknownDiscount("That code was just used up.", field="discount_code")
            await db.write(*writes, *await _first_letter(order_id, email, price))
    else:
        await db.write_together(*writes, *await _first_letter(order_id, email, price))
    return Placed(order_id, price.total, payment.id)


async def _first_letter(order_id: UUID, email: str, price: Quote) -> tuple[Write, ...]:
    """None beyond a mailbox's share of a day: a stranger may type any address. Its owner can still buy."""
    if not await mailboxes.is_free(Family.ORDERS, email):
        return ()
    return letters.drafted(order_id, email, "order_received", _lines(price), total=str(price.total))


def _lines(price: Quote) -> list[dict[str, object]]:
    return [
        {"name": product.name, "quantity": quantity, "conditions": product.conditions.lines}
        for product, quantity in price.lines
    ]


def _order_writes(order_id: UUID, to: Address, price: Quote, pay_currency: str | None) -> tuple[Write, Write]:
    items = price.lines
    order = Write(
        """INSERT INTO customer_order (id, email, status, fulfillment_status, currency, subtotal, discount,
             discount_code, total, pay_currency, created_at, email_typed)
           VALUES ($1, $2, 'created', 'pending', $3, $4, $5, $6, $7, $8, $9, $10)""",
        (
            order_id, to.email, price.subtotal.currency, price.subtotal.amount, price.discount.amount, price.code,
            price.total.amount, pay_currency, clock.now(), to.kept_typed,
        ),
    )  # fmt: skip
    lines = Write(
        """INSERT INTO order_item
             (id, order_id, product_id, position, name, slug, platform, quantity, unit_price, conditions, status)
           SELECT id, $1, product_id, position, name, slug, platform, quantity, unit_price, conditions::jsonb, 'pending'
           FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[], $8::int[], $9::numeric[],
             $10::text[]) AS i (id, product_id, position, name, slug, platform, quantity, unit_price, conditions)""",
        (
            order_id, [new_id() for _ in items], [p.id for p, _ in items], list(range(len(items))),
            [p.name for p, _ in items], [p.slug for p, _ in items], [p.platform for p, _ in items],
            [n for _, n in items], [p.price.amount for p, _ in items],
            [msgspec.json.encode(p.conditions).decode() for p, _ in items],
        ),
    )  # fmt: skip
    return order, lines


def _payment_job(order_id: UUID) -> Posting:
    """One pending job an order: it reads the coin when it runs, so a choice made meanwhile needs no second one."""
    args = {"order_id": str(order_id)}
    return jobs.posting("payments.create", args, subject=order_id, dedupe=payment_dedupe(order_id))


def payment_dedupe(order_id: UUID) -> str:
    return f"payments.create:{order_id}"
