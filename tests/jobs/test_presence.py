"""A worker that dies is seen to be gone at the next sweep, long before its lease runs out."""

import asyncpg

from app.core import db
from app.core.settings import settings
from app.jobs import presence, queries, service
from app.jobs.presence import LOCK_CLASS, Presence


async def _claimed_by_a_present_worker() -> tuple[Presence, service.Lease]:
    worker = Presence()
    await worker.open()
    job_id = await service.post("house.tidy", {})
    assert job_id is not None
    lease = await service.claim(job_id)
    assert lease is not None
    return worker, lease


async def test_a_present_workers_job_is_left_alone(app):
    worker, lease = await _claimed_by_a_present_worker()
    assert await service.take_back({}) == 0
    await service.finish(lease)
    await worker.close()


async def test_a_gone_workers_job_is_taken_back_at_once_with_its_attempt_kept(app):
    worker, lease = await _claimed_by_a_present_worker()
    await worker.close()
    assert await service.take_back({}) == 1
    job = await queries.one(lease.id)
    assert job is not None
    assert (job["status"], len(job["attempts"])) == ("pending", 1)


async def test_a_worker_that_lost_its_connection_shows_itself_again(app):
    worker, lease = await _claimed_by_a_present_worker()
    other = await asyncpg.connect(settings().database_url.get_secret_value())
    number = presence.holder()
    locks = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = $1::int::oid AND objid = $2::int::oid"
    await db.fetch("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE pid IN (" + locks + ")", LOCK_CLASS, number)
    # The lock itself is waited for: it is free for a moment, then the worker has it again and this call would wait on.
    while not await other.fetch(locks, LOCK_CLASS, number):
        await other.execute("SELECT pg_stat_clear_snapshot()")
    assert await service.take_back({}) == 0
    await other.close()
    await service.finish(lease)
    await worker.close()
    assert presence.holder() is None
