"""Timelines: numbers rise by one and become visible in that order, however many write at once."""

import asyncio
from contextvars import Context
from uuid import UUID

from app.core import db
from app.core.ids import new_id
from app.history import queries
from app.history import service as history
from tests.builders import count, rows, undone

WRITERS = 30


async def test_events_are_numbered_from_one_with_what_was_said(app) -> None:
    subject = new_id()
    assert [await history.record(subject, "order.created", total="1"), await history.record(subject, "order.paid")] == [
        1,
        2,
    ]
    found = await queries.timeline(subject)
    assert [(e.seq, e.kind, e.data) for e in found] == [
        (1, "order.created", {"total": "1"}),
        (2, "order.paid", {}),
    ]


async def test_thirty_writers_at_once_leave_no_gap_and_no_double(app) -> None:
    subject = new_id()

    async def write(number: int) -> int:
        async with db.transaction():
            return await history.record(subject, "thing.happened", number=number)

    numbers = await asyncio.gather(*(write(n) for n in range(WRITERS)))
    assert sorted(numbers) == list(range(1, WRITERS + 1))
    assert [e.seq for e in await queries.timeline(subject)] == list(range(1, WRITERS + 1))


async def test_events_become_visible_in_the_order_of_their_numbers(app) -> None:
    """A reader that follows the cursor while others write never meets a number it has passed."""
    subject, seen, cursor = new_id(), [], 0

    async def write(number: int) -> None:
        async with db.transaction():
            await history.record(subject, "thing.happened", number=number)
            await count("event")

    writers = [asyncio.create_task(write(n)) for n in range(WRITERS)]
    while len(seen) < WRITERS:
        for event in await queries.timeline(subject, after=cursor):
            seen.append(event.seq)
            cursor = event.seq
    await asyncio.gather(*writers)
    assert seen == list(range(1, WRITERS + 1))


async def test_a_later_number_waits_for_the_earlier_one_to_be_visible(app) -> None:
    subject = new_id()
    blocked = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    pool = db.engine().pool
    assert pool is not None
    async with pool.acquire() as onlooker, db.transaction():
        await history.record(subject, "first.happened")
        second = asyncio.get_running_loop().create_task(alone(subject), context=Context())
        while not second.done() and not await onlooker.fetchval(blocked):
            await asyncio.wait([second], timeout=0.01)
        assert not second.done()
    assert await second == 2


async def alone(subject: UUID) -> int:
    """Write an event in a transaction that no other task shares."""
    async with db.transaction():
        return await history.record(subject, "second.happened")


async def test_a_number_given_back_by_a_rollback_is_used_again(app) -> None:
    subject = new_id()
    await undone(history.record(subject, "thing.happened"))
    assert await count("event") == 0
    assert await history.record(subject, "thing.happened") == 1


async def test_writers_of_other_subjects_do_not_wait(app) -> None:
    first, second = new_id(), new_id()
    async with db.transaction():
        await history.record(first, "thing.happened")
        pool = db.engine().pool
        assert pool is not None
        async with asyncio.timeout(5), pool.acquire() as other:
            await other.execute("INSERT INTO timeline (subject, last_seq) VALUES ($1, 1)", second)


async def test_after_a_cursor_come_only_the_later_events_of_that_subject(app) -> None:
    subject = new_id()
    for _ in range(5):
        await history.record(subject, "thing.happened")
        await history.record(new_id(), "thing.happened")
    assert [e.seq for e in await queries.timeline(subject, after=3)] == [4, 5]
    assert await queries.timeline(subject, after=99) == []
    assert await queries.last_seqs([subject, new_id()]) == {subject: 5}


async def test_nothing_of_a_timeline_is_ever_changed_or_lost(app) -> None:
    subject = new_id()
    await history.record(subject, "order.created")
    before = (await rows())["event"]
    await history.record(subject, "order.paid")
    assert set(before) < set((await rows())["event"])
