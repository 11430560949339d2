"""The order's own verbs. Each is one guarded move with its event and the next job, in one transaction."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from app.catalog import codes
from app.core import clock, db
from app.core.errors import Conflict
from app.core.money import Money
from app.core.state_machine import move
from app.history import service as history
from app.issues import service as issues
from app.issues.codes import IssueCode
from app.orders import letters, models, queries
from app.orders.changing import OrderNotHeld, Owner, changing, held, reread
from app.orders.letters import short
from app.orders.placing import (
    MOST_ITEMS,
    MOST_OF_ONE,
    BadItems,
    OutOfStock,
    Placed,
    Quote,
    Wanted,
    payment_dedupe,
    place,
    quote,
    taken_meanwhile,
)
from app.orders.reasons import (
    DELIVERED,
    ONCE_PAID,
    OWED,
    REFUNDED,
    SUPPLY,
    about,
    has_reason,
    open_reason,
    resolve_reasons,
)
from app.orders.repricing import price_today, reprice, still_sellable, unsellable
from app.orders.states import FULFILLMENT_MOVES, MOVES, FulfillmentStatus, OrderStatus
from app.orders.tables import Order, OrderItem
from app.queue import service as jobs

__all__ = [
    "MOST_ITEMS", "MOST_OF_ONE", "ONCE_PAID", "OWED", "SUPPLY", "BadItems", "OrderNotHeld", "OutOfStock", "Owner",
    "Placed", "Quote", "Wanted", "about", "changing", "has_reason", "held", "open_reason", "place", "price_today",
    "quote", "reprice", "reread", "resolve_reasons", "short", "still_sellable", "taken_meanwhile", "unsellable",
]  # fmt: skip


class OrderClosed(Conflict):
    title = "This order can't be changed any more"


async def _to(order_id: UUID, status: OrderStatus, event: str, /, also: Any = None, **data: Any) -> models.Order | None:
    row = await move(Order, order_id, status, MOVES, also=also)
    if row is None:
        return None
    await history.record(order_id, event, **data)
    return db.as_model(models.Order, row)


async def payment_requested(order_id: UUID, **data: Any) -> None:
    """A merchant's order has its first payment, pending, and waits for it from now on."""
    if await move(Order, order_id, OrderStatus.WAITING, MOVES) is not None:
        waits = {"payment_id": data["payment_id"]}
        await history.record_each(order_id, ("payment.pending", data), ("order.waiting", waits))


async def await_payment(order_id: UUID, **data: Any) -> None:
    """The payment stands and its address can be shown; also a further attempt, which moves nothing."""
    if await _to(order_id, OrderStatus.WAITING, "order.waiting", **data) is None:
        await history.record(order_id, "payment.offered", **data)


async def confirming(order_id: UUID) -> None:
    await _to(order_id, OrderStatus.CONFIRMING, "order.confirming")


async def underpaid(order_id: UUID, **data: Any) -> bool:
    """Part of the price is there. False where that moves nothing: it was underpaid already, or has expired."""
    return await _to(order_id, OrderStatus.UNDERPAID, "order.underpaid", **data) is not None


async def expire(order_id: UUID) -> None:
    await _end(order_id, OrderStatus.EXPIRED, "order.expired")


async def payment_failed(order_id: UUID) -> None:
    await _end(order_id, OrderStatus.FAILED, "order.failed", cause="the payment failed")


async def _end(order_id: UUID, status: OrderStatus, event: str, /, **data: Any) -> bool:
    """The order ends without having delivered, and its money is not ours: the code it used is free again."""
    order = await _to(order_id, status, event, **data)
    if order is not None and order.discount_code:
        await codes.release(order_id)
    return order is not None


async def covered(order: models.Order) -> None:
    """Credit covers the whole price of an order, locked: there is nothing left to pay."""
    await _to(order.id, OrderStatus.WAITING, "order.covered")
    await settle(order)


async def settle(before: models.Order, **data: Any) -> bool:
    """The order is paid in full: buy every item; a merchant's is fulfilled by that. False if it was paid or closed.

    ``before``: the order as it was locked.
    """
    order_id = held(before.id).id
    order = await _to(order_id, OrderStatus.PAID, "order.paid", {Order.paid_at: clock.now()}, **data)
    if order is None:
        return False
    if before.status == OrderStatus.EXPIRED and order.discount_code:
        taken = await codes.take_again(order_id, order.discount)
        if not taken:
            raise OrderClosed("The credit for this order has been used for another order. Place a new order.")
    await move(Order, order_id, FulfillmentStatus.PROCESSING, FULFILLMENT_MOVES, column="fulfillment_status")
    if order.merchant_id is not None:
        await _fulfilled(order_id)
        return True
    await _post_reserves(order_id)
    await letters.write(order, "payment_seen")
    return True


async def _post_reserves(order_id: UUID) -> None:
    items = await db.fetch_values("SELECT id FROM order_item WHERE order_id = $1 ORDER BY position", order_id)
    for item_id in items:
        args = {"item_id": str(item_id)}
        await jobs.post("fulfillment.reserve", args, subject=order_id, dedupe=f"reserve:{item_id}")


async def freeze(order_id: UUID) -> None:
    """All of its money is to go back: from now on nothing is bought for it, and none of its keys is shown."""
    await Order.update({Order.frozen_at: clock.now()}).where(Order.id == order_id, Order.frozen_at.is_null())
    await issues.resolve(about(order_id), IssueCode.SUPPLIER_SLOW)


async def unfreeze(order_id: UUID) -> None:
    """The money stays after all: a paid order goes on where it stood."""
    sql = "UPDATE customer_order SET frozen_at = NULL WHERE id = $1 AND frozen_at IS NOT NULL RETURNING status"
    if await db.fetch_value(sql, order_id) == OrderStatus.PAID:
        await _post_reserves(order_id)


async def refunded(order_id: UUID, *, keep: Decimal = Decimal(0)) -> Money | None:
    """All of its money went back: whatever it waited for is settled. Returns the store credit that came back, if any.

    ``keep``: what its code took off units whose key the customer has seen. That is not given back: the key is theirs.
    """
    order = await _to(order_id, OrderStatus.REFUNDED, "order.refunded")
    if order is None:
        return None
    await resolve_reasons(order_id, REFUNDED)
    back = await codes.release(order_id, keep=keep) if order.discount_code else Decimal(0)
    if not back:
        return None
    credit = Money(back, order.currency)
    await history.record(order_id, "credit.returned", **credit.as_json())
    return credit


async def item_fulfilled(order_id: UUID, item_id: UUID) -> None:
    """All keys of one item are sealed; with the last item the order is fulfilled and the customer is written to."""
    await OrderItem.update({OrderItem.status: "fulfilled"}).where(OrderItem.id == item_id)
    await _close_if_all_there(order_id)


async def item_withdrawn(order_id: UUID, item_id: UUID, units: int) -> None:
    """The money of so many units of an item goes back, as their keys did not come. Under the order's lock.

    What came of the item is all that will; with the last open item the order is done.
    """
    await db.fetch(
        """UPDATE order_item SET withdrawn = withdrawn + $2,
             status = CASE WHEN withdrawn + $2 < quantity THEN 'fulfilled' ELSE 'withdrawn' END WHERE id = $1""",
        item_id, units,
    )  # fmt: skip
    if not await OrderItem.exists().where(OrderItem.order_id == order_id, OrderItem.status == "failed"):
        await resolve_reasons(order_id, SUPPLY)
    await move(Order, order_id, FulfillmentStatus.PROCESSING, FULFILLMENT_MOVES, column="fulfillment_status")
    await _close_if_all_there(order_id)


async def _close_if_all_there(order_id: UUID) -> None:
    closed = ["fulfilled", "withdrawn"]
    if await OrderItem.exists().where(OrderItem.order_id == order_id, OrderItem.status.not_in(closed)):
        return
    order = await _fulfilled(order_id)
    if order is not None and order.frozen_at is None:
        until = letters.kept_until(order.paid_at or clock.now())
        await letters.write(order, "key_ready", kept_until=until)


async def _fulfilled(order_id: UUID) -> models.Order | None:
    await resolve_reasons(order_id, DELIVERED)
    await move(Order, order_id, FulfillmentStatus.FULFILLED, FULFILLMENT_MOVES, column="fulfillment_status")
    return await _to(order_id, OrderStatus.FULFILLED, "order.fulfilled", {Order.fulfilled_at: clock.now()})


async def item_failed(order_id: UUID, item_id: UUID, code: IssueCode, cause: str) -> bool:
    """The supplier can't deliver an item: the order waits for a person, who retries it or refunds.

    ``code``: the order's reason; ``cause``: the same in words.

    False where nothing of the item is awaited: its keys are there, or their money was taken back meanwhile.
    """
    if not await _item_to(item_id, "failed", from_=("pending", "failed")):
        return False
    await move(Order, order_id, FulfillmentStatus.FAILED, FULFILLMENT_MOVES, column="fulfillment_status")
    await open_reason(order_id, code, cause)
    await history.record(order_id, "supply.failed", item=str(item_id), cause=cause)
    return True


async def item_retried(order_id: UUID, item_id: UUID) -> bool:
    """A failed item is waited for again. False for any other, which stays as it is."""
    if not await _item_to(item_id, "pending", from_=("failed",)):
        return False
    if not await OrderItem.exists().where(OrderItem.order_id == order_id, OrderItem.status == "failed"):
        await resolve_reasons(order_id, SUPPLY)
    await move(Order, order_id, FulfillmentStatus.PROCESSING, FULFILLMENT_MOVES, column="fulfillment_status")
    await history.record(order_id, "supply.retried", item=str(item_id))
    return True


async def _item_to(item_id: UUID, status: str, *, from_: tuple[str, ...]) -> bool:
    moved = await (
        OrderItem.update({OrderItem.status: status})
        .where(OrderItem.id == item_id, OrderItem.status.is_in(list(from_)))
        .returning(OrderItem.id)
    )
    return bool(moved)


async def give_up(order_id: UUID, cause: str) -> bool:
    """Nothing of a paid order can be delivered for good: its money is due back. False if it is not paid any more."""
    if await _to(order_id, OrderStatus.FAILED, "order.given_up", cause=cause) is None:
        return False
    await resolve_reasons(order_id, DELIVERED)
    await open_reason(order_id, IssueCode.REFUND_DUE, f"refund due, as nothing was delivered: {cause}")
    return True


async def chose(order_id: UUID, choice: str, **data: Any) -> None:
    """The customer says what becomes of money that did not buy anything: refund, credit or top_up."""
    await Order.update({Order.choice: choice}).where(Order.id == order_id)
    await history.record(order_id, f"choice.{choice}", **data)


async def choose_anew(order_id: UUID) -> None:
    """The refund that the customer chose did not come about: the money is theirs to decide on again.

    A credit stands: it was given when it was chosen.
    """
    await Order.update({Order.choice: None}).where(Order.id == order_id, Order.choice == "refund")


async def cancel(order_id: UUID) -> None:
    """The customer gives the order up while no money lies with it. Raises OrderClosed when it is too late."""
    async with changing(order_id):
        if await queries.holds_money(order_id) or not await _end(order_id, OrderStatus.CANCELLED, "order.cancelled"):
            raise OrderClosed("Money for it was seen or the order is finished, so it can't be cancelled.")


async def ask_payment(order_id: UUID, pay_currency: str | None) -> UUID:
    """Ask for a payment, in the coin given or the one chosen before. Returns the job's id; a pending one is reused."""
    async with changing(order_id) as order:
        if order is None or order.status not in {"created", "waiting"}:
            raise OrderClosed("This order needs no payment any more.")
        if pay_currency:
            await Order.update({Order.pay_currency: pay_currency}).where(Order.id == order_id)
        args, dedupe = {"order_id": str(order_id)}, payment_dedupe(order_id)
        job_id = await jobs.post("payments.create", args, subject=order_id, dedupe=dedupe)
        if job_id is None:
            # Not only pending ones: a worker may take it between the two statements.
            job_id = await db.fetch_value(
                "SELECT id FROM job WHERE subject = $1 AND name = 'payments.create' ORDER BY created_at DESC LIMIT 1",
                order_id,
            )
    return UUID(str(job_id))
