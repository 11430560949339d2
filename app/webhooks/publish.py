"""From an order's timeline to its merchant's events, and from each event to the endpoints that want it.

An event, its number in the merchant's feed and its deliveries come into being in one transaction, and with them the
mark up to which the order was published. So each event is published once, in order, with no gap.
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.contract import fields
from app.contract.event import Event, EventData, as_it_was
from app.contract.order import Order
from app.contract.payment import Payment
from app.contract.refund import Refund
from app.core import clock, db
from app.core.ids import new_id
from app.history import queries as history
from app.orders import models
from app.orders import service as orders
from app.orders import tables as order_tables
from app.payments import queries as payments
from app.queue import service as jobs
from app.refunds import queries as refunds
from app.webhooks.events import OutboundEvent, derive_events
from app.webhooks.models import Subscription

Commit = Callable[[], AbstractAsyncContextManager[None]]

KEPT = timedelta(days=30)  # events, and with them their deliveries
FORGOTTEN_AT_ONCE = 2000  # events a transaction
CAUGHT_UP_AT_ONCE = 200  # orders


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that is about to be stored. ``data``: its object as the API shows it."""

    type: str
    object: str
    object_id: UUID
    order_id: UUID
    sequence: int
    created: datetime
    data: EventData


async def publish(order_id: UUID, *, commit: Commit) -> None:
    """Store the events of a merchant's order that are not published yet, and queue them at the merchant's endpoints."""
    async with commit(), orders.changing(order_id) as order:
        if order is None or order.merchant_id is None:
            return
        timeline = await history.timeline(order_id)
        fresh = [await _fresh(one, order) for one in derive_events(order_id, timeline) if one.seq > order.published_seq]
        table = order_tables.Order
        await table.update({table.published_seq: timeline[-1].seq if timeline else 0}).where(table.id == order_id)
        if fresh:
            await store(order.merchant_id, order.test, fresh)


async def _fresh(outbound: OutboundEvent, order: models.Order) -> NewEvent:
    data = as_it_was(await _object(outbound, order), outbound.then)
    return NewEvent(outbound.type, outbound.object, outbound.object_id, order.id, outbound.sequence, outbound.at, data)


async def _object(outbound: OutboundEvent, order: models.Order) -> EventData:
    """What an event is about, as its merchant sees it now. Raises LookupError where its order has no such object."""
    if outbound.object == "order":
        return Order.from_row(order)
    if order.merchant_id is None:
        raise LookupError("a customer's order has no merchant")
    whose = (order.merchant_id, order.test, outbound.object_id)
    if outbound.object == "payment":
        payment = await payments.of_merchant(*whose)
        if payment is not None and payment.order_id == order.id:
            return Payment.from_row(payment, test=order.test)
    else:
        refund = await refunds.of_merchant(*whose)
        if refund is not None and refund.order_id == order.id:
            return Refund.from_row(refund, test=order.test)
    raise LookupError(f"{outbound.type} names no {outbound.object} of its order")


async def store(merchant_id: UUID, test: bool, fresh: Sequence[NewEvent], *, only: UUID | None = None) -> list[UUID]:
    """Store events, and their way to each endpoint that wants them, or to ``only`` one. Returns their ids.

    Endpoints are locked against being switched off or on meanwhile; the merchant's counters come last.
    """
    endpoints = await db.fetch_as(
        Subscription,
        """SELECT id, types, disabled_at FROM endpoint WHERE merchant_id = $1 AND test = $2 AND deleted_at IS NULL
           AND ($3::uuid IS NULL OR id = $3) ORDER BY id FOR SHARE""",
        merchant_id, test, only,
    )  # fmt: skip
    last = await _number(merchant_id, test, len(fresh))
    ids = [new_id() for _ in fresh]
    texts = [payload(event_id, test, event) for event_id, event in zip(ids, fresh, strict=True)]
    await db.fetch(
        """INSERT INTO merchant_event (id, merchant_id, test, number, type, object, object_id, order_id, sequence,
             payload, created_at)
           SELECT id, $1, $2, $3 + place, type, object, object_id, order_id, sequence, payload, created_at
           FROM unnest($4::uuid[], $5::text[], $6::text[], $7::uuid[], $8::uuid[], $9::int[], $10::text[],
             $11::timestamptz[]) WITH ORDINALITY AS n (id, type, object, object_id, order_id, sequence, payload,
             created_at, place)""",
        merchant_id, test, last - len(fresh), ids, [e.type for e in fresh], [e.object for e in fresh],
        [e.object_id for e in fresh], [e.order_id for e in fresh], [e.sequence for e in fresh], texts,
        [e.created for e in fresh],
    )  # fmt: skip
    for endpoint in endpoints:
        types = endpoint.types
        wanted = [i for i, e in zip(ids, fresh, strict=True) if only or not types or e.type in types]
        await _put_in_line(endpoint.id, wanted, held=endpoint.disabled_at is not None)
    return ids


async def _number(merchant_id: UUID, test: bool, count: int) -> int:
    """Take the feed's next numbers; returns the last of them. Held to the commit, so they show up in their order."""
    column = "test_number" if test else "live_number"
    sql = f"UPDATE merchant SET {column} = {column} + $2 WHERE id = $1 RETURNING {column}"  # noqa: S608 - one of two
    return int(await db.fetch_value(sql, merchant_id, count))


async def _put_in_line(endpoint_id: UUID, event_ids: Sequence[UUID], *, held: bool) -> None:
    """``held``: nothing is sent there now, but nothing is lost either."""
    if not event_ids:
        return
    now = clock.now()
    await db.fetch(
        """INSERT INTO delivery (id, endpoint_id, event_id, status, attempts, next_at, created_at)
           SELECT id, $1, event_id, 'pending', 0, $2, $3 FROM unnest($4::uuid[], $5::uuid[]) AS n (id, event_id)""",
        endpoint_id, None if held else now, now, [new_id() for _ in event_ids], list(event_ids),
    )  # fmt: skip
    if not held:
        await schedule_drain(endpoint_id)


async def schedule_drain(endpoint_id: UUID) -> None:
    """Have somebody work on an endpoint's line."""
    name = "webhooks.deliver"
    await jobs.post("webhooks.deliver", {"endpoint_id": str(endpoint_id)}, dedupe=f"{name}:{endpoint_id}")


async def schedule_attempt(endpoint_id: UUID, delivery_id: UUID, at: datetime) -> None:
    """Have somebody work on the line once a delivery in it is due, no later than its schedule says."""
    name, wait = "webhooks.deliver", at - clock.now() + jobs.EARLY
    await jobs.post(name, {"endpoint_id": str(endpoint_id)}, dedupe=f"{name}:{delivery_id}", wait=wait)


def payload(event_id: UUID, test: bool, event: NewEvent) -> str:
    """The exact text that is signed and sent, and that the feed shows. ASCII, so that no receiver can spell it anew."""
    full = Event(
        id=event_id, type=event.type, mode=fields.mode(test), created=fields.time(event.created), object=event.object,
        object_id=event.object_id, sequence=event.sequence, data=event.data,
    )  # fmt: skip
    return encoded(full).decode()


def encoded(event: Event) -> bytes:
    """An event as JSON in ASCII, the same bytes each time."""
    return json.dumps(msgspec.to_builtins(event), separators=(",", ":")).encode()


async def catch_up() -> int:
    """Post a job for each order whose timeline holds more than was published. Returns how many."""
    order_ids = await db.fetch_values(
        """SELECT p.id FROM customer_order p JOIN timeline t ON t.subject = p.id
           WHERE p.merchant_id IS NOT NULL AND t.last_seq > p.published_seq LIMIT $1""",
        CAUGHT_UP_AT_ONCE,
    )
    for order_id in order_ids:
        args = {"order_id": str(order_id)}
        await jobs.post("webhooks.publish", args, subject=order_id, dedupe=f"webhooks.publish:{order_id}")
    return len(order_ids)


async def forget() -> int:
    """Delete a batch of events that are older than KEPT, with their deliveries, whatever became of those. How many."""
    async with db.transaction():
        ids = await db.fetch_values(
            "SELECT id FROM merchant_event WHERE created_at < $1 LIMIT $2", clock.now() - KEPT, FORGOTTEN_AT_ONCE
        )
        await db.fetch(
            """DELETE FROM delivery_attempt WHERE delivery_id = ANY(ARRAY(
                 SELECT id FROM delivery WHERE event_id = ANY($1)))""",
            ids,
        )
        await db.fetch("DELETE FROM delivery WHERE event_id = ANY($1)", ids)
        await db.fetch("DELETE FROM merchant_event WHERE id = ANY($1)", ids)
    return len(ids)
