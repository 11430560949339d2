"""The order's own verbs. Each is one guarded move with its event and the next job, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.accounts import service as accounts
from app.catalog import queries as catalog
from app.catalog import service as discounts
from app.catalog.queries import Listed
from app.core import clock, db
from app.core.db import Write
from app.core.errors import Conflict, Invalid
from app.core.ids import new_id
from app.core.machine import move
from app.core.money import Money
from app.core.settings import settings
from app.history import service as history
from app.jobs import service as jobs
from app.jobs.service import Posting
from app.mail import service as mail
from app.orders.states import FULFILLMENT_MOVES, MOVES, FulfillmentStatus, OrderStatus
from app.orders.tables import Order, OrderItem

MOST_ITEMS = 10  # products an order: the supplier's limit (kinguin.md, 4)
MOST_OF_ONE = 9  # units of one product: likewise


class BadItems(Invalid):
    title = "Those items can't be ordered"


class OutOfStock(Conflict):
    title = "Not enough in stock"


class OrderClosed(Conflict):
    title = "This order can't be changed any more"


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


def short(order_id: UUID) -> str:
    """How people name an order: the last eight characters of its id, the random ones."""
    return order_id.hex[-8:].upper()


async def quote(wanted: Sequence[Wanted], discount_code: str | None = None) -> Quote:
    """Price a request. Raises BadItems, OutOfStock or UnknownDiscount."""
    if not wanted:
        raise BadItems("Choose at least one game.", field="items")
    if len(wanted) > MOST_ITEMS or len({w.product_id for w in wanted}) != len(wanted):
        raise BadItems(f"An order has 1 to {MOST_ITEMS} different games.", field="items")
    if any(not 1 <= w.quantity <= MOST_OF_ONE for w in wanted):
        raise BadItems(f"Choose a quantity from 1 to {MOST_OF_ONE} for each game.", field="quantity")
    found = await catalog.listed([w.product_id for w in wanted])
    lines = []
    for want in wanted:
        product = found.get(want.product_id)
        if product is None:
            raise BadItems("One of these games is not sold any more. Remove it and try again.", field="items")
        if product.stock < want.quantity:
            left = f"Only {product.stock} left" if product.stock else "Sold out"
            raise OutOfStock(f"{product.name}: {left}. Change the quantity and try again.", field="quantity")
        lines.append((product, want.quantity))
    subtotal = sum((p.price * n for p, n in lines), Money(Decimal(0), settings().shop_currency))
    if not discount_code:
        return Quote(lines, subtotal, subtotal - subtotal, None, None)
    code, percent, off = await discounts.discount_for(discount_code, subtotal)
    return Quote(lines, subtotal, off, code, percent)


async def place(email: str, price: Quote, *, pay_currency: str | None = None) -> Placed:
    """Store an order with its items, its first event, its payment's job and its first letter, all or nothing."""
    order_id = new_id()
    payment = _payment_job(order_id)
    writes = (
        *_order_writes(order_id, email, price, pay_currency),
        *history.opening(order_id, "order.created", total=price.total.as_json()),
        payment.write,
        *_letter_writes(order_id, email, "order_received", _lines(price), total=str(price.total)),
    )
    if price.code:
        async with db.transaction():
            if not await discounts.spend_discount(price.code):
                raise discounts.UnknownDiscount("That code was just used up.", field="discount_code")
            await db.write(*writes)
    else:
        await db.write_together(*writes)
    return Placed(order_id, price.total, payment.id)


def _lines(price: Quote) -> list[dict[str, Any]]:
    return [{"name": product.name, "quantity": quantity} for product, quantity in price.lines]


def _order_writes(order_id: UUID, email: str, price: Quote, pay_currency: str | None) -> tuple[Write, Write]:
    items = price.lines
    order = Write(
        """INSERT INTO purchase (id, email, status, fulfillment_status, currency, subtotal, discount, discount_code,
             total, pay_currency, created_at)
           VALUES ($1, $2, 'created', 'pending', $3, $4, $5, $6, $7, $8, $9)""",
        (
            order_id, email, price.subtotal.currency, price.subtotal.amount, price.discount.amount, price.code,
            price.total.amount, pay_currency, clock.now(),
        ),
    )  # fmt: skip
    lines = Write(
        """INSERT INTO purchase_item
             (id, order_id, product_id, position, name, slug, platform, quantity, unit_price, status)
           SELECT id, $1, product_id, position, name, slug, platform, quantity, unit_price, 'pending'
           FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[], $7::text[], $8::int[], $9::numeric[])
             AS i (id, product_id, position, name, slug, platform, quantity, unit_price)""",
        (
            order_id, [new_id() for _ in items], [p.id for p, _ in items], list(range(len(items))),
            [p.name for p, _ in items], [p.slug for p, _ in items], [p.platform for p, _ in items],
            [n for _, n in items], [p.price.amount for p, _ in items],
        ),
    )  # fmt: skip
    return order, lines


def _letter_writes(
    order_id: UUID, email: str, kind: str, items: list[dict[str, Any]], *, total: str
) -> tuple[Write, ...]:
    """A letter about an order, with a link that proves the address."""
    link_id, link = accounts.linking(email, "order", order_id)
    context = {
        "order_short_id": short(order_id),
        "items": items,
        "total": total,
        "link_id": link_id,
        "days": accounts.ORDER_LIFETIME.days,
    }
    return link, *mail.draft(kind, email, context, about=order_id).writes


async def _letter(order: dict[str, Any], kind: str) -> None:
    rows = await OrderItem.select(OrderItem.name, OrderItem.quantity).where(OrderItem.order_id == order["id"])
    total = str(Money(order["total"], order["currency"]))
    await db.write(*_letter_writes(order["id"], order["email"], kind, rows, total=total))


async def lock(order_id: UUID) -> dict[str, Any] | None:
    """The order's row, locked to the end of the transaction: the first lock of every transaction about an order."""
    row = await db.fetch_one("SELECT * FROM purchase WHERE id = $1 FOR UPDATE", order_id)
    return dict(row) if row else None


async def _to(
    order_id: UUID, status: OrderStatus, event: str, /, also: Any = None, **data: Any
) -> dict[str, Any] | None:
    order = await move(Order, order_id, status, MOVES, also=also)
    if order is not None:
        await history.record(order_id, event, **data)
    return order


async def await_payment(order_id: UUID, **data: Any) -> None:
    """The payment stands and its address can be shown; also a further attempt, which moves nothing."""
    if await _to(order_id, OrderStatus.WAITING, "order.waiting", **data) is None:
        await history.record(order_id, "payment.offered", **data)


async def confirming(order_id: UUID) -> None:
    await _to(order_id, OrderStatus.CONFIRMING, "order.confirming")


async def underpaid(order_id: UUID, **data: Any) -> None:
    await _to(order_id, OrderStatus.UNDERPAID, "order.underpaid", **data)


async def expire(order_id: UUID) -> None:
    await _to(order_id, OrderStatus.EXPIRED, "order.expired")


async def payment_failed(order_id: UUID) -> None:
    await _to(order_id, OrderStatus.FAILED, "order.failed", cause="the payment failed")


async def settle(order_id: UUID, **data: Any) -> bool:
    """The order is paid in full: buy every item. False when it was paid, or closed, before."""
    order = await _to(order_id, OrderStatus.PAID, "order.paid", {Order.paid_at: clock.now()}, **data)
    if order is None:
        return False
    await move(Order, order_id, FulfillmentStatus.PROCESSING, FULFILLMENT_MOVES, column="fulfillment_status")
    await _post_reserves(order_id)
    await _letter(order, "payment_seen")
    return True


async def _post_reserves(order_id: UUID) -> None:
    items = await OrderItem.select(OrderItem.id).where(OrderItem.order_id == order_id).order_by(OrderItem.position)
    for item in items:
        args = {"item_id": str(item["id"])}
        await jobs.post("fulfillment.reserve", args, subject=order_id, dedupe=f"reserve:{item['id']}")


async def hold(order_id: UUID) -> None:
    """All of its money is to go back: from now on nothing is bought for it, and none of its keys is shown."""
    await Order.update({Order.held_at: clock.now()}).where(Order.id == order_id, Order.held_at.is_null())


async def release(order_id: UUID) -> None:
    """The money stays after all: a paid order goes on where it stood."""
    rows = (
        await Order.update({Order.held_at: None})
        .where(Order.id == order_id, Order.held_at.is_not_null())
        .returning(Order.status)
    )
    if rows and rows[0]["status"] == OrderStatus.PAID:
        await _post_reserves(order_id)


async def refunded(order_id: UUID) -> None:
    """All of its money went back: whatever it waited for is settled."""
    if await _to(order_id, OrderStatus.REFUNDED, "order.refunded") is not None:
        await unpark(order_id)


async def item_fulfilled(order_id: UUID, item_id: UUID) -> None:
    """All keys of one item are sealed; with the last item the order is fulfilled and the customer is written to."""
    await OrderItem.update({OrderItem.status: "fulfilled"}).where(OrderItem.id == item_id)
    open_items = await OrderItem.count().where(OrderItem.order_id == order_id, OrderItem.status != "fulfilled")
    if open_items:
        return
    await move(Order, order_id, FulfillmentStatus.FULFILLED, FULFILLMENT_MOVES, column="fulfillment_status")
    order = await _to(order_id, OrderStatus.FULFILLED, "order.fulfilled", {Order.fulfilled_at: clock.now()})
    if order is not None and order["held_at"] is None:
        await _letter(order, "key_ready")


async def item_failed(order_id: UUID, item_id: UUID, cause: str) -> None:
    """The supplier can't deliver an item: the order waits for a person, who retries it or refunds."""
    await OrderItem.update({OrderItem.status: "failed"}).where(OrderItem.id == item_id)
    await move(Order, order_id, FulfillmentStatus.FAILED, FULFILLMENT_MOVES, column="fulfillment_status")
    await park(order_id, cause)
    await history.record(order_id, "supply.failed", item=str(item_id), cause=cause)


async def item_retried(order_id: UUID, item_id: UUID) -> None:
    await OrderItem.update({OrderItem.status: "pending"}).where(OrderItem.id == item_id)
    if not await OrderItem.exists().where(OrderItem.order_id == order_id, OrderItem.status == "failed"):
        await unpark(order_id)
    await move(Order, order_id, FulfillmentStatus.PROCESSING, FULFILLMENT_MOVES, column="fulfillment_status")
    await history.record(order_id, "supply.retried", item=str(item_id))


async def park(order_id: UUID, cause: str) -> None:
    """Put the order on the admin's list, with the reason; the reason stays until a person settles it."""
    await Order.update({Order.cause: cause[:200]}).where(Order.id == order_id)


async def unpark(order_id: UUID) -> None:
    """What the order waited for has come by itself."""
    await Order.update({Order.cause: None}).where(Order.id == order_id)


async def still_sellable(order_id: UUID) -> bool:
    """Whether every item could be sold again today at the price it was ordered for."""
    return bool(
        await db.fetch_value(
            """SELECT bool_and(p.active AND p.stock >= i.quantity AND p.price <= i.unit_price)
               FROM purchase_item i JOIN product p ON p.id = i.product_id WHERE i.order_id = $1""",
            order_id,
        )
    )


async def cancel(order_id: UUID) -> None:
    """The customer gives the order up before any money was seen. Raises OrderClosed when it is too late."""
    async with db.transaction():
        if await _to(order_id, OrderStatus.CANCELLED, "order.cancelled") is None:
            raise OrderClosed("Money is on its way or the order is finished, so it can't be cancelled.")


async def ask_payment(order_id: UUID, pay_currency: str | None) -> UUID:
    """Ask for a payment, in the coin given or the one chosen before. Returns the job's id; a pending one is reused."""
    async with db.transaction():
        order = await lock(order_id)
        if order is None or order["status"] not in {"created", "waiting"}:
            raise OrderClosed("This order needs no payment any more.")
        if pay_currency:
            await Order.update({Order.pay_currency: pay_currency}).where(Order.id == order_id)
        args, dedupe = {"order_id": str(order_id)}, _payment_dedupe(order_id)
        job_id = await jobs.post("payments.create", args, subject=order_id, dedupe=dedupe)
        if job_id is None:
            # Not only pending ones: a worker may take it between the two statements.
            job_id = await db.fetch_value(
                "SELECT id FROM job WHERE subject = $1 AND name = 'payments.create' ORDER BY created_at DESC LIMIT 1",
                order_id,
            )
    return UUID(str(job_id))


def _payment_job(order_id: UUID) -> Posting:
    """One pending job an order: it reads the coin when it runs, so a choice made meanwhile needs no second one."""
    args = {"order_id": str(order_id)}
    return jobs.posting("payments.create", args, subject=order_id, dedupe=_payment_dedupe(order_id))


def _payment_dedupe(order_id: UUID) -> str:
    return f"payments.create:{order_id}"
