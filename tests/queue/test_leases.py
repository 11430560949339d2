"""Leases: one worker holds a job at a time, and its work and its end are one transaction."""

import asyncio
from datetime import timedelta

import pytest

from app.core import clock, db
from app.core.ids import new_id
from app.queue import queries
from app.queue import service as jobs
from app.queue.models import JobHistory
from app.queue.service import LEASE, LeaseLost
from tests.builders import claimed, count, rows

SOON = timedelta(seconds=1)
LONG_AFTER = LEASE + SOON


async def row(lease: jobs.Lease) -> JobHistory:
    found = await queries.one(lease.id)
    assert found is not None
    return found


async def effect() -> None:
    """Something a job does."""
    await db.fetch("INSERT INTO timeline (subject, last_seq) VALUES ($1, 1)", new_id())


async def taken_over(lease: jobs.Lease) -> jobs.Lease:
    """The lease of the worker that comes after ``lease`` ran out."""
    with clock.travelled(LONG_AFTER):
        assert await jobs.reclaim_expired({}) == 1
        second = await jobs.claim(lease.id)
    assert second is not None
    return second


async def test_of_twenty_workers_one_gets_the_job(app) -> None:
    job_id = await jobs.post("payments.create", {"order_id": "x"})
    assert job_id is not None
    leases = [lease for lease in await asyncio.gather(*(jobs.claim(job_id) for _ in range(20))) if lease]
    assert len(leases) == 1
    assert (leases[0].name, leases[0].args, leases[0].attempt) == ("payments.create", {"order_id": "x"}, 1)


async def test_an_unknown_a_finished_and_a_waiting_job_can_not_be_claimed(app) -> None:
    lease = await claimed()
    await jobs.finish(lease)
    waiting = await jobs.post("payments.check", {}, wait=timedelta(minutes=1))
    assert waiting is not None
    before = await rows()
    assert [await jobs.claim(i) for i in (new_id(), lease.id, waiting)] == [None, None, None]
    assert await rows() == before


async def test_the_effect_and_the_end_commit_together(app) -> None:
    lease = await claimed()
    async with lease.commit():
        await effect()
    assert await count("timeline") == 1
    done = await row(lease)
    assert (done.status, done.progress, done.error, done.attempts) == ("completed", 100, None, [])


async def fail(lease: jobs.Lease) -> None:
    async with lease.commit():
        await effect()
        raise ZeroDivisionError


async def test_an_effect_that_fails_leaves_the_job_unfinished(app) -> None:
    lease = await claimed()
    with pytest.raises(ZeroDivisionError):
        await fail(lease)
    assert await count("timeline") == 0
    assert (await row(lease)).status == "processing"


async def test_finishing_after_a_commit_changes_nothing_more(app) -> None:
    lease = await claimed()
    async with lease.commit():
        await effect()
    before = await rows()
    await jobs.finish(lease)
    assert await rows() == before


async def test_a_worker_back_from_the_dead_has_no_effect(app) -> None:
    first = await claimed()
    await taken_over(first)
    before = await rows()
    with pytest.raises(LeaseLost):
        async with first.commit():
            await effect()
    with pytest.raises(LeaseLost):
        await jobs.finish(first)
    assert await rows() == before


async def test_a_worker_back_from_the_dead_neither_buries_nor_delays(app) -> None:
    first = await claimed()
    await taken_over(first)
    before = await rows()
    assert await jobs.dead_letter(first, "too late") is False
    assert await jobs.reschedule(first, "too late", timedelta(hours=1)) is False
    await first.progress(50)
    assert await rows() == before


async def test_of_two_holders_at_once_one_effect_stays(app) -> None:
    first = await claimed()
    second = await taken_over(first)

    async def work(lease: jobs.Lease) -> bool:
        try:
            async with lease.commit():
                await effect()
        except LeaseLost:
            return False
        return True

    assert await asyncio.gather(work(first), work(second)) == [False, True]
    assert await count("timeline") == 1


async def test_a_lease_in_time_is_not_taken_back(app) -> None:
    lease = await claimed()
    with clock.travelled(LEASE - SOON):
        assert await jobs.reclaim_expired({}) == 0
    assert (await row(lease)).status == "processing"


async def test_what_a_dead_worker_left_is_taken_back_with_its_attempt_on_record(app) -> None:
    lease = await claimed()
    second = await taken_over(lease)
    found = await row(lease)
    assert (second.attempt, second.tries, found.status) == (2, 2, "processing")
    assert [(a.number, a.error) for a in found.attempts] == [(1, "the worker stopped answering")]


async def test_a_job_whose_workers_all_die_is_buried_with_every_attempt_kept(app) -> None:
    lease = await claimed()
    allowed = {lease.name: 3}
    for attempt in range(1, 4):
        with clock.travelled(LONG_AFTER * attempt):
            assert await jobs.reclaim_expired(allowed) == 1
            again = await jobs.claim(lease.id)
        assert (again is None) == (attempt == 3)
    found = await row(lease)
    assert (found.status, [a.number for a in found.attempts]) == ("failed", [1, 2, 3])
    with clock.travelled(LONG_AFTER * 9):
        assert await jobs.reclaim_expired(allowed) == 0


async def test_two_sweeps_at_once_take_a_job_back_once(app) -> None:
    lease = await claimed()
    with clock.travelled(LONG_AFTER):
        await asyncio.gather(*(jobs.reclaim_expired({}) for _ in range(6)))
    found = await row(lease)
    assert (found.status, len(found.attempts)) == ("pending", 1)


async def test_progress_is_told_while_the_job_is_worked_on(app) -> None:
    lease = await claimed()
    await lease.progress(40)
    found = await queries.status(lease.id)
    assert found is not None
    assert (found.status, found.progress) == ("processing", 40)
