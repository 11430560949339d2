"""What fails waits, with its whole history, for the next attempt or for a person."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from app.core import clock, db
from app.core.ids import new_id
from app.queue import purge, queries
from app.queue import service as jobs
from app.queue.models import JobHistory
from app.queue.service import ERROR_LENGTH, JobNotFailed
from tests.builders import claimed, count, job_names, rows

MINUTE = timedelta(minutes=1)


async def row(job_id: Any) -> JobHistory:
    found = await queries.one(job_id)
    assert found is not None
    return found


async def buried(name: str = "maintenance.purge", **more: Any) -> jobs.Lease:
    lease = await claimed(name, **more)
    assert await jobs.dead_letter(lease, "hopeless")
    return lease


async def test_a_job_put_back_waits_for_its_time_and_keeps_the_error(app) -> None:
    lease = await claimed()
    assert await jobs.reschedule(lease, "the provider is down", MINUTE)
    assert await jobs.claim(lease.id) is None
    with clock.travelled(MINUTE):
        again = await jobs.claim(lease.id)
    assert again is not None
    assert (again.attempt, again.tries) == (2, 2)
    found = await row(lease.id)
    assert [(a.number, a.outcome, a.error) for a in found.attempts] == [(1, "failed", "the provider is down")]


async def test_a_good_end_clears_the_error_but_not_the_history(app) -> None:
    lease = await claimed()
    await jobs.reschedule(lease, "the provider is down", timedelta())
    again = await jobs.claim(lease.id)
    assert again is not None
    await jobs.finish(again)
    found = await row(lease.id)
    assert (found.status, found.error, len(found.attempts)) == ("completed", None, 1)


async def test_a_job_put_back_gives_way_to_the_pending_one_of_the_same_meaning(app) -> None:
    lease = await claimed(dedupe="check:1")
    other = await jobs.post("maintenance.purge", {}, dedupe="check:1")
    assert await jobs.reschedule(lease, "down", timedelta())
    assert other is not None
    assert [await row(i) for i in (lease.id, other)]
    assert await job_names() == ["maintenance.purge", "maintenance.purge"]
    assert await count("job", "dedupe = 'check:1'") == 1


async def test_a_buried_job_waits_for_a_person_and_for_nobody_else(app) -> None:
    lease = await buried()
    with clock.travelled(timedelta(days=30)):
        assert await jobs.claim(lease.id) is None
        assert await jobs.due(clock.now(), 10) == []
        assert await jobs.reclaim_expired({}) == 0
    found = await row(lease.id)
    assert (found.status, found.error, len(found.attempts)) == ("failed", "hopeless", 1)


async def test_a_retry_keeps_the_history_and_gives_a_fresh_set_of_tries(app) -> None:
    lease = await claimed()
    for _ in range(2):
        await jobs.reschedule(lease, "down", timedelta())
        found = await jobs.claim(lease.id)
        assert found is not None
        lease = found
    assert (lease.attempt, lease.tries) == (3, 3)
    await jobs.dead_letter(lease, "down for good")
    await jobs.retry(lease.id)
    again = await jobs.claim(lease.id)
    assert again is not None
    assert (again.attempt, again.tries) == (4, 1)
    assert [a.number for a in (await row(lease.id)).attempts] == [1, 2, 3]


@pytest.mark.parametrize("status", ["pending", "processing", "completed"])
async def test_only_a_failed_job_can_be_retried(app, status: str) -> None:
    lease = await claimed()
    await db.fetch("UPDATE job SET status = $2 WHERE id = $1", lease.id, status)
    before = await rows()
    with pytest.raises(JobNotFailed):
        await jobs.retry(lease.id)
    with pytest.raises(JobNotFailed):
        await jobs.retry(new_id())
    assert await rows() == before


async def test_a_dead_letter_can_be_sent_round_once_not_twice(app) -> None:
    lease = await buried()
    await jobs.retry(lease.id)
    with pytest.raises(JobNotFailed):
        await jobs.retry(lease.id)
    assert await job_names() == ["maintenance.purge"]


async def test_a_dead_letter_can_be_retried_while_another_of_its_meaning_is_pending(app) -> None:
    lease = await buried(dedupe="check:1")
    await jobs.post("maintenance.purge", {}, dedupe="check:1")
    await jobs.retry(lease.id)
    assert await job_names() == ["maintenance.purge", "maintenance.purge"]


async def test_a_very_long_error_is_cut_not_refused(app) -> None:
    lease = await claimed()
    assert await jobs.dead_letter(lease, "x" * 100_000)
    found = await row(lease.id)
    assert len(found.error) == len(found.attempts[0].error) == ERROR_LENGTH


async def test_dead_letters_of_a_subject_are_told_by_name(app) -> None:
    subject = new_id()
    await buried("fulfillment.collect", subject=subject)
    await buried("mail.send", subject=new_id())
    assert await queries.dead_for(subject) == ["fulfillment.collect"]


async def test_finished_jobs_are_forgotten_after_a_month_with_their_attempts(app) -> None:
    lease = await claimed()
    await jobs.reschedule(lease, "down", timedelta())
    again = await jobs.claim(lease.id)
    assert again is not None
    await jobs.finish(again)
    with clock.travelled(purge.KEPT - MINUTE):
        assert await purge.forget_finished() == 0
    with clock.travelled(purge.KEPT + MINUTE):
        assert await purge.forget_finished() == 1
    assert (await count("job"), await count("job_attempt")) == (0, 0)


async def test_dead_letters_and_open_jobs_are_never_forgotten(app) -> None:
    await buried()
    await claimed()
    await jobs.post("maintenance.purge", {})
    before = await rows()
    with clock.travelled(timedelta(days=3650)):
        assert await purge.forget_finished() == 0
    assert await rows() == before


async def test_two_jobs_of_the_same_meaning_put_back_at_once_are_both_put_back(app) -> None:
    """Each alone sees no other pending one; the index does. Neither may stay in hand until its lease runs out."""
    for number in range(20):
        name = f"check:{number}"
        first = await claimed(dedupe=name)
        second = await claimed(dedupe=name)
        assert await asyncio.gather(*(jobs.reschedule(it, "down", MINUTE) for it in (first, second))) == [True, True]
        found = [await row(it.id) for it in (first, second)]
        assert [it.status for it in found] == ["pending", "pending"]
        assert [len(it.attempts) for it in found] == [1, 1]


async def test_a_forgiven_attempt_is_on_record_and_does_not_count(app) -> None:
    lease = await claimed()
    assert await jobs.reschedule(lease, "the provider is away for all", timedelta(), counts=False)
    again = await jobs.claim(lease.id)
    assert again is not None
    assert (again.attempt, again.tries) == (2, 1)
    assert len((await row(lease.id)).attempts) == 1


async def test_a_job_that_only_waited_has_no_attempt_on_record(app) -> None:
    lease = await claimed()
    assert await jobs.defer(lease, "waits: kinguin is away", MINUTE)
    assert await jobs.claim(lease.id) is None
    with clock.travelled(MINUTE):
        again = await jobs.claim(lease.id)
    assert again is not None
    assert again.tries == 1
    assert (await row(lease.id)).attempts == []
    assert not await jobs.defer(lease, "an older lease", MINUTE)


async def test_a_retry_says_who_and_when(app) -> None:
    lease = await buried()
    await jobs.retry(lease.id, by="admin boss@bitloot.test")
    found = await row(lease.id)
    (line,) = found.retries
    assert (line.error, found.cause) == ("retried by admin boss@bitloot.test", None)
    assert abs(line.ended_at - clock.now()) < MINUTE
    assert len(found.attempts) == 1


async def test_many_are_sent_round_at_once_and_what_is_not_dead_is_left(app) -> None:
    dead = [await buried(subject=new_id()) for _ in range(3)]
    alive = await claimed()
    done = await jobs.retry_all([*(d.id for d in dead), alive.id, new_id()], by="a test")
    assert set(done) == {d.id for d in dead}
    assert (await row(alive.id)).status == "processing"
    assert await jobs.retry_all(done, by="a test") == []


async def test_the_same_work_dying_again_is_one_dead_letter_with_all_attempts(app) -> None:
    """A sweep posts a check every two minutes, and each dies: a person is told once."""
    subject = new_id()
    for number in range(4):
        lease = await claimed("maintenance.purge", subject=subject)
        await jobs.reschedule(lease, f"first try of {number}", timedelta())
        again = await jobs.claim(lease.id)
        assert again is not None
        await jobs.dead_letter(again, f"second try of {number}")
        assert await count("job") == 1
    found = await row(lease.id)
    assert [a.number for a in found.attempts] == list(range(1, 9))
    assert found.attempts[0].error == "first try of 0"
    assert found.error == "second try of 3"
    await jobs.retry(lease.id)
    last = await jobs.claim(lease.id)
    assert last is not None
    assert (last.attempt, last.tries) == (9, 1)


async def test_dead_letters_of_other_subjects_stay_apart(app) -> None:
    await buried(subject=new_id())
    await buried(subject=new_id())
    assert await job_names("failed") == ["maintenance.purge", "maintenance.purge"]
