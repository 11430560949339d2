"""What must be true of merchants' orders: each ends, each key made one thing, each event is told once and arrives."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.history.models import Event as Line
from app.webhooks.events import derive_events
from dev.chaos.merchant import Merchant
from dev.chaos.merchant_orders import MerchantOrder
from dev.chaos.receivers import STATUS, WANTS, WELL, Receipt, digest
from dev.environment import Environment

ENDED = {"fulfilled", "refunded"}


class Stored(msgspec.Struct, frozen=True):
    """A merchant's order in our tables. ``waits``: for a person, with an issue or a dead letter."""

    order_id: str
    status: str
    paid: bool
    waits: bool


class Event(msgspec.Struct, frozen=True):
    """A published event. ``digest``: of the exact body that endpoints are to be sent."""

    id: str
    test: bool
    number: int
    type: str
    object_id: str
    sequence: int
    order_id: str
    digest: str


class Picture(msgspec.Struct):
    """What the driver saw beside what is on record. ``answered``: ids by Idempotency-Key; ``made``: the rows that bear
    it. ``repeated``: by key the first id, and the one that a repeat at the end was answered. ``living``: endpoints that
    are on. ``wants``: the types of event that an endpoint registered for; all where none is named."""

    seen: list[MerchantOrder]
    stored: dict[str, Stored]
    answered: dict[str, list[str]]
    made: dict[str, list[str]]
    repeated: dict[str, tuple[str, str]]
    timelines: dict[str, list[Line]]
    events: list[Event]
    receipts: list[Receipt]
    living: list[str]
    wants: Mapping[str, Collection[str]]


STORED = """SELECT p.id::text AS order_id, p.status, p.paid_at IS NOT NULL AS paid,
    EXISTS (SELECT FROM job j WHERE j.subject = p.id AND j.status = 'failed')
      OR EXISTS (SELECT FROM issue i WHERE i.subject = 'order:' || p.id AND resolved_at IS NULL) AS waits
  FROM customer_order p WHERE merchant_id = $1::uuid"""
MADE = """SELECT reference AS key, id::text FROM customer_order WHERE merchant_id = $1::uuid
  UNION ALL SELECT details->'metadata'->>'key', a.id::text FROM payment a JOIN customer_order p ON p.id = a.order_id
    WHERE merchant_id = $1::uuid AND details->'metadata' ? 'key'
  UNION ALL SELECT r.reason, r.id::text FROM refund r JOIN customer_order p ON p.id = r.order_id
    WHERE merchant_id = $1::uuid"""
LINES = """SELECT subject::text AS of, seq, kind, e.data, e.at FROM event e JOIN customer_order p ON p.id = e.subject
  WHERE merchant_id = $1::uuid ORDER BY subject, seq"""
EVENTS = """SELECT id::text, test, number, type, object_id::text, sequence, order_id::text, payload
  FROM merchant_event WHERE merchant_id = $1::uuid"""


async def read(
    env: Environment, merchant: Merchant, seen: list[MerchantOrder], repeated: dict[str, tuple[str, str]]
) -> Picture:
    """The picture of this merchant, in a handful of questions."""
    stored = msgspec.convert(await env.rows(STORED, merchant.id), list[Stored])
    made, timelines = defaultdict(list), defaultdict(list)
    for row in await env.rows(MADE, merchant.id):
        made[row["key"]].append(row["id"])
    for row in await env.rows(LINES, merchant.id):
        timelines[row["of"]].append(Line(row["seq"], row["kind"], json.loads(row["data"]), row["at"]))
    off = await env.rows("SELECT id::text FROM endpoint WHERE disabled_at IS NOT NULL OR deleted_at IS NOT NULL")
    gone = {row["id"] for row in off}
    return Picture(
        seen=seen, stored={it.order_id: it for it in stored}, answered=merchant.answered, made=made, repeated=repeated,
        timelines=timelines, events=[_event(row) for row in await env.rows(EVENTS, merchant.id)],
        receipts=list(merchant.receivers.receipts),
        living=[name for name, endpoint_id in merchant.endpoints.items() if endpoint_id not in gone], wants=WANTS,
    )  # fmt: skip


def _event(row: Mapping[str, Any]) -> Event:
    return msgspec.convert({**row, "digest": digest(row["payload"].encode())}, Event)


def ended(picture: Picture) -> Iterator[str]:
    """What was paid is fulfilled, refunded or on the list of what needs a person; what was answered is on record."""
    for it in picture.stored.values():
        if it.paid and it.status not in ENDED and not it.waits:
            yield f"merchant's order {it.order_id} is paid, stands at {it.status}, and nobody is told"
    for seen in picture.seen:
        found = picture.stored.get(seen.order_id)
        if found is None:
            yield f"merchant's order {seen.order_id} was answered with 201 and is not on record"
        elif seen.paid and not found.paid and not found.waits:
            yield f"merchant's order {seen.order_id} was paid in full and stands at {found.status}"


def once_a_key(picture: Picture) -> Iterator[str]:
    """One key made one thing, however often it was sent; and a repeat is answered with that very thing."""
    for key, ids in picture.answered.items():
        if len(set(ids)) > 1:
            yield f"key {key} was answered with {len(set(ids))} objects: {sorted(set(ids))}"
    for key, ids in picture.made.items():
        if len(ids) > 1:
            yield f"key {key} made {len(ids)} objects: {ids}"
        if picture.answered.get(key) and set(ids) != set(picture.answered[key]):
            yield f"key {key} made {ids} and was answered with {picture.answered[key]}"
    for key, (first, again) in picture.repeated.items():
        if first != again:
            yield f"key {key} made {first}, and a repeat was answered with {again}"


def published(picture: Picture) -> Iterator[str]:
    """What an order's timeline has to tell is an event, each once; a feed is numbered without a gap."""
    stored: dict[str, Counter[tuple[str, str, int]]] = defaultdict(Counter)
    for event in picture.events:
        stored[event.order_id][(event.type, event.object_id, event.sequence)] += 1
    for order_id, lines in picture.timelines.items():
        told = derive_events(UUID(order_id), lines)
        expected = Counter((one.type, str(one.object_id), one.sequence) for one in told)
        if missing := expected - stored[order_id]:
            yield f"merchant's order {order_id}: never published {sorted(missing)}"
        if extra := stored[order_id] - expected:
            yield f"merchant's order {order_id}: published beyond what happened, or twice: {sorted(extra)}"
    if unknown := stored.keys() - picture.timelines.keys():
        yield f"events of orders that are not the merchant's: {sorted(unknown)}"
    for test in (True, False):
        numbers = sorted(event.number for event in picture.events if event.test is test)
        if numbers != list(range(1, len(numbers) + 1)):
            yield f"the {'test' if test else 'live'} feed is not numbered through to {len(numbers)}"


def delivered(picture: Picture) -> Iterator[str]:
    """Each event of test mode reached each living endpoint that wants it, as published and signed; nothing else did."""
    events = {event.id: event for event in picture.events if event.test}
    good: dict[str, set[str]] = defaultdict(set)
    for it in picture.receipts:
        event = events.get(it.event_id)
        if not it.signed:
            yield f"{it.endpoint} was sent event {it.event_id} without a valid signature"
        elif event is None or event.digest != it.digest:
            yield f"{it.endpoint} was sent {it.event_id}, which is no event of its mode or has another body"
        elif not _wants(picture, it.endpoint, event):
            yield f"{it.endpoint} was sent {event.type} {it.event_id}, which it did not register for"
        elif STATUS.get(it.answer) == STATUS[WELL]:
            good[it.endpoint].add(it.event_id)
    for endpoint in picture.living:
        due = {event.id for event in events.values() if _wants(picture, endpoint, event)}
        for event_id in sorted(due - good[endpoint]):
            yield f"event {event_id} was never delivered to {endpoint}"


def _wants(picture: Picture, endpoint: str, event: Event) -> bool:
    types = picture.wants.get(endpoint, ())
    return not types or event.type in types


def counts(picture: Picture) -> dict[str, str]:
    """What each rule looked at."""
    paid = sum(it.paid for it in picture.stored.values())
    statuses = Counter(it.status for it in picture.stored.values() if it.paid)
    test = sum(event.test for event in picture.events)
    return {
        "merchants": f"{len(picture.stored)} merchants' orders, {paid} paid: "
        + ", ".join(f"{n} {status}" for status, n in sorted(statuses.items())),
        "idempotency": f"{len(picture.answered)} keys, {sum(map(len, picture.made.values()))} objects, "
        f"{len(picture.repeated)} repeated at the end",
        "published": f"{len(picture.events)} events of {len(picture.timelines)} orders",
        "delivered": f"{test} events of test mode, {len(picture.living)} living endpoints, "
        f"{len(picture.receipts)} requests received",
    }


CHECKS = {"merchants": ended, "idempotency": once_a_key, "published": published, "delivered": delivered}
