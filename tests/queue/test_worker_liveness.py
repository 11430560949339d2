"""A worker that dies is seen to be gone within seconds, long before its lease runs out; a live one keeps its jobs."""

import contextlib
from datetime import timedelta

import pytest

from app.core import clock, db
from app.queue import queries, service, worker_liveness
from app.queue.worker_liveness import DEAD, GAP, Watch, WorkerLiveness
from tests.builders import count

SILENT = DEAD + timedelta(seconds=1)


@pytest.fixture
async def worker(app):
    made = WorkerLiveness()
    await made.open()
    yield made
    await made.close()


async def _claimed() -> service.Lease:
    job_id = await service.post("maintenance.purge", {})
    assert job_id is not None
    lease = await service.claim(job_id)
    assert lease is not None
    return lease


async def _killed(worker: WorkerLiveness) -> None:
    """What a SIGKILL leaves: the row, with the time of the last sign, and nobody who renews it."""
    assert worker._task is not None
    worker._task.cancel()
    await db.fetch("UPDATE process SET seen_at = seen_at - $1::interval", SILENT)


async def test_a_live_workers_job_is_left_alone(worker) -> None:
    lease = await _claimed()
    assert await service.reclaim_expired({}) == 0
    await service.finish(lease)


async def test_a_worker_that_ended_well_leaves_its_jobs_to_others_at_once(app) -> None:
    worker = WorkerLiveness()
    await worker.open()
    lease = await _claimed()
    await worker.close()
    assert worker_liveness.holder() is None
    assert await service.reclaim_expired({}, silent=False) == 1
    job = await queries.one(lease.id)
    assert job is not None
    assert (job.status, len(job.attempts)) == ("pending", 1)


async def test_a_killed_workers_job_is_taken_back_after_eight_seconds_and_not_before(worker) -> None:
    lease = await _claimed()
    assert worker._task is not None
    worker._task.cancel()
    await worker.show()
    with clock.travelled(timedelta(seconds=7)):
        assert await service.reclaim_expired({}) == 0
    with clock.travelled(timedelta(seconds=9)):
        assert await service.reclaim_expired({}) == 1
    job = await queries.one(lease.id)
    assert job is not None
    assert (job.status, len(job.attempts)) == ("pending", 1)


async def test_a_worker_whose_connection_is_cut_shows_itself_by_another(worker) -> None:
    lease = await _claimed()
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'INSERT INTO process%'"
    assert await db.fetch(cut)
    with contextlib.suppress(*db.AWAY):  # the cut may be noticed before or by this one
        await worker.show()
    await worker.show()
    assert await service.reclaim_expired({}) == 0
    await service.finish(lease)


async def test_a_worker_whose_row_was_dropped_comes_back_with_its_next_sign(worker) -> None:
    lease = await _claimed()
    await db.fetch("DELETE FROM process")
    await worker.show()
    assert await service.reclaim_expired({}) == 0
    await service.finish(lease)


async def test_after_an_outage_of_the_database_no_worker_is_taken_for_dead(worker) -> None:
    """All signs are old, and who looks has not looked for as long."""
    lease, watch = await _claimed(), Watch()
    await _killed(worker)
    assert await service.reclaim_expired({}, silent=watch.looks(100.0)) == 0
    assert await service.reclaim_expired({}, silent=watch.looks(102.0)) == 0
    for second in (104.0, 106.0):
        assert watch.looks(second) is False
    assert await service.reclaim_expired({}, silent=watch.looks(108.0)) == 1
    job = await queries.one(lease.id)
    assert job is not None
    assert job.status == "pending"
    assert watch.looks(108.0 + GAP + 0.1) is False


async def test_nothing_of_a_workers_life_is_a_lock_of_its_session(worker) -> None:
    await _claimed()
    assert await db.fetch_value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == 0
    assert await count("process") == 1


async def test_processes_that_died_long_ago_are_forgotten(worker) -> None:
    await db.fetch(
        "INSERT INTO process SELECT id + 1, role, host, pid, seen_at, seen_at - interval '2 hours' FROM process"
    )
    await worker_liveness.forget()
    assert await count("process") == 1
