"""From a timeline to events: each told once, numbered without gaps, in its own mode, kept for thirty days."""

import asyncio
import json
from datetime import timedelta
from uuid import UUID

import pytest

from actors.clock import sweep
from app.contract.event_types import TYPES
from app.core import clock, db
from app.core.ids import new_id
from app.history.models import Event
from app.webhooks import publish, queries, service
from app.webhooks.events import KINDS, derive_events
from tests.builders import NOW, count, events, job_names, place, rows, torn, undone
from tests.builders import Undone as Killed
from tests.webhooks.builders import deliveries, happens, merchant, numbers, order, paid, payment, told

URL = "http://127.0.0.1:40009/hooks"


def line(seq: int, kind: str, **data: str) -> Event:
    return Event(seq, kind, data, clock.now())


@pytest.mark.parametrize(
    ("kind", "type_", "status"),
    [
        ("payment.pending", "payment.pending", "pending"),
        ("payment.confirming", "payment.confirming", "confirming"),
        ("payment.confirmed", "payment.confirming", "confirming"),
        ("payment.sending", "payment.confirming", "confirming"),
        ("payment.finished", "payment.success", "success"),
        ("payment.failed", "payment.failed", "failed"),
        ("payment.cancelled", "payment.failed", "cancelled"),
        ("payment.expired", "payment.expired", "expired"),
        ("payment.partially_paid", "payment.underpaid", "underpaid"),
    ],
)
def test_a_payments_line_becomes_the_event_of_its_type(kind: str, type_: str, status: str) -> None:
    order_id, payment_id = new_id(), new_id()
    (one,) = derive_events(order_id, [line(4, kind, payment_id=str(payment_id))])
    assert (one.seq, one.type, one.object, one.object_id, one.sequence) == (4, type_, "payment", payment_id, 1)
    assert one.then["status"] == status


@pytest.mark.parametrize("kind", ["refund.pending", "refund.processed", "refund.failed"])
def test_a_refunds_line_becomes_the_event_of_its_type(kind: str) -> None:
    refund_id = new_id()
    (one,) = derive_events(new_id(), [line(1, kind, refund=str(refund_id))])
    assert (one.type, one.object, one.object_id) == (kind, "refund", refund_id)


def test_every_type_that_is_promised_comes_from_some_line_and_no_other_does() -> None:
    assert {type_ for type_, _ in KINDS.values()} == set(TYPES)


def test_lines_that_are_no_news_to_a_merchant_tell_nothing() -> None:
    kinds = ["order.created", "order.waiting", "key.revealed", "payment.offered", "refund.approved", "letter.sent"]
    assert derive_events(new_id(), [line(n, kind, payment_id=str(new_id())) for n, kind in enumerate(kinds)]) == []


def test_a_payment_that_is_confirming_is_so_once() -> None:
    walk = ["payment.pending", "payment.confirming", "payment.confirmed", "payment.sending", "payment.finished"]
    payment_id = str(new_id())
    found = derive_events(new_id(), [line(n, kind, payment_id=payment_id) for n, kind in enumerate(walk, 1)])
    assert [(one.sequence, one.type) for one in found] == [
        (1, "payment.pending"), (2, "payment.confirming"), (3, "payment.success"),
    ]  # fmt: skip


async def test_what_happens_is_told_once_with_each_objects_own_sequence(app, drain) -> None:
    merchant_id = await merchant()
    order_id = await order(merchant_id)
    payment_id = await payment(order_id)
    for kind in ("payment.pending", "payment.finished"):
        await happens(order_id, kind, payment_id=str(payment_id))
    await drain()
    await happens(order_id, "order.paid")
    await happens(order_id, "order.fulfilled")
    await drain()
    assert await told(payment_id) == [(1, "payment.pending"), (2, "payment.success")]
    assert await told(order_id) == [(1, "order.paid"), (2, "order.fulfilled")]
    assert await numbers(merchant_id) == [1, 2, 3, 4]


async def test_publishing_again_changes_nothing(app, drain) -> None:
    order_id = await paid(await merchant())
    await drain()
    before = await rows()
    await publish.publish(order_id, commit=NOW)
    assert await rows() == before


async def test_an_event_shows_its_object_as_the_api_does_in_the_state_of_that_moment(app, drain) -> None:
    merchant_id = await merchant()
    order_id = await order(merchant_id)
    payment_id = await payment(order_id)
    await db.fetch("UPDATE payment SET status = 'finished', value = 12.50 WHERE id = $1", payment_id)
    for kind in ("payment.pending", "payment.finished"):
        await happens(order_id, kind, payment_id=str(payment_id))
    await drain()
    first, second = (json.loads(row.payload) for row in await queries.feed(merchant_id, True, 0, 10))
    assert list(first) == ["id", "type", "mode", "created", "object", "object_id", "sequence", "data"]
    assert (first["type"], first["mode"], first["object"], first["sequence"]) == (
        "payment.pending", "test", "payment", 1,
    )  # fmt: skip
    assert first["object_id"] == first["data"]["id"] == str(payment_id)
    assert (first["data"]["status"], second["data"]["status"]) == ("pending", "success")
    assert first["data"]["details"] == {"last4": "4242"}
    assert first["data"]["order_id"] == str(order_id)


async def test_a_crash_before_the_commit_tells_nothing_and_the_next_try_tells_all(app) -> None:
    merchant_id = await merchant()
    await service.add(merchant_id, test=True, url=URL)
    order_id = await paid(merchant_id)
    with pytest.raises(Killed):
        await publish.publish(order_id, commit=torn)
    assert (await count("merchant_event"), await count("delivery")) == (0, 0)
    await publish.publish(order_id, commit=NOW)
    assert await numbers(merchant_id) == [1]
    assert (await count("merchant_event"), await count("delivery")) == (1, 1)


async def test_fifty_orders_told_of_at_once_leave_no_gap_and_no_double_in_the_feed(app) -> None:
    merchant_id = await merchant()
    made = [await order(merchant_id) for _ in range(50)]
    for order_id in made:
        await happens(order_id, "order.paid")
        await happens(order_id, "order.fulfilled")
    seen: list[int] = []

    async def follow() -> None:
        """A merchant that reads the feed all the while, from where it stands."""
        while len(seen) < 100:
            seen.extend(r.number for r in await queries.feed(merchant_id, True, seen[-1] if seen else 0, 7))

    reading = asyncio.create_task(follow())
    await asyncio.gather(*(publish.publish(order_id, commit=NOW) for order_id in made for _ in range(2)))
    await asyncio.wait_for(reading, 20)
    assert seen == list(range(1, 101))
    assert [await told(order_id) for order_id in made] == [[(1, "order.paid"), (2, "order.fulfilled")]] * 50


async def test_one_orders_events_told_by_many_at_once_have_no_gap_in_their_sequence(app) -> None:
    merchant_id = await merchant()
    order_id = await order(merchant_id)
    refund_id = await _refund(order_id)

    async def one_more(number: int) -> None:
        await happens(order_id, ("refund.pending", "refund.failed")[number % 2], refund=str(refund_id))
        await publish.publish(order_id, commit=NOW)

    await asyncio.gather(*(one_more(number) for number in range(20)))
    assert [sequence for sequence, _ in await told(refund_id)] == list(range(1, 21))
    assert await numbers(merchant_id) == list(range(1, 21))


async def _refund(order_id: UUID) -> UUID:
    refund_id = new_id()
    await db.fetch(
        """INSERT INTO refund (id, order_id, status, amount, currency, reason, asked_by, created_at)
           VALUES ($1, $2, 'pending', 1, 'USD', '', 'merchant', $3)""",
        refund_id, order_id, clock.now(),
    )  # fmt: skip
    return refund_id


async def test_modes_and_merchants_have_feeds_of_their_own(app, drain) -> None:
    one, other = await merchant("One"), await merchant("Other")
    await paid(one)
    await paid(one, test=False)
    await paid(other)
    await paid(one)
    await drain()
    assert await numbers(one) == [1, 2]
    assert await numbers(one, test=False) == [1]
    assert await numbers(other) == [1]


async def test_an_event_goes_to_the_endpoints_of_its_merchant_and_mode_that_want_it(app, drain) -> None:
    mine, theirs = await merchant("Mine"), await merchant("Theirs")
    all_, _ = await service.add(mine, test=True, url=URL)
    wanting, _ = await service.add(mine, test=True, url=URL, types=["order.paid", "refund.failed"])
    not_wanting, _ = await service.add(mine, test=True, url=URL, types=["order.fulfilled"])
    live, _ = await service.add(mine, test=False, url="https://example.com/hooks")
    foreign, _ = await service.add(theirs, test=True, url=URL)
    await happens(await order(mine), "order.paid")
    await drain(only="webhooks.publish")
    got = {e.id: len(await deliveries(e.id)) for e in (all_, wanting, not_wanting, live, foreign)}
    assert got == {all_.id: 1, wanting.id: 1, not_wanting.id: 0, live.id: 0, foreign.id: 0}


async def test_a_customers_order_is_no_news_to_anybody(app) -> None:
    order_id = await place()
    assert await events(order_id) != []
    await publish.publish(order_id, commit=NOW)
    assert await count("merchant_event") == 0


async def test_an_order_that_nobody_was_told_of_is_found(app) -> None:
    merchant_id = await merchant()
    order_id = await paid(merchant_id)
    await db.fetch("DELETE FROM job")
    assert await publish.catch_up() == 1
    assert await job_names() == ["webhooks.publish"]
    await publish.publish(order_id, commit=NOW)
    await db.fetch("DELETE FROM job")
    assert await publish.catch_up() == 0
    assert await job_names() == []


async def test_a_transaction_that_fails_tells_nobody(app) -> None:
    order_id = await order(await merchant())
    await undone(happens(order_id, "order.paid"))
    assert await job_names() == []
    assert await events(order_id) == []


async def test_after_thirty_days_events_go_with_their_deliveries_and_numbers_go_on(app, drain, receiver) -> None:
    merchant_id = await merchant()
    endpoint, _ = await service.add(merchant_id, test=True, url=receiver.url)
    old = await paid(merchant_id)
    await drain()
    assert await count("delivery_attempt") == 1
    with clock.travelled(timedelta(days=29)):
        assert await publish.forget() == 0
    with clock.travelled(timedelta(days=31)):
        await paid(merchant_id)
        await drain()
        assert await publish.forget() == 1
        await happens(old, "order.fulfilled")
        await drain()
    assert await numbers(merchant_id) == [2, 3]
    assert len(await deliveries(endpoint.id)) == 2
    assert await told(old) == [(2, "order.fulfilled")]


async def test_the_sweep_calls_a_worker_to_a_line_whose_call_was_lost(app, drain) -> None:
    merchant_id = await merchant()
    await service.add(merchant_id, test=True, url=URL)
    await paid(merchant_id)
    await drain(only="webhooks.publish")
    await db.fetch("DELETE FROM job")
    await sweep()
    assert await job_names() == ["webhooks.deliver"]
