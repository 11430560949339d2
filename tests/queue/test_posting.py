"""Posting: a job is a row first, in the transaction that needs it; word of it leaves after the commit."""

import asyncio
import json
from datetime import timedelta

import pytest

from app.core import clock, db
from app.core.ids import new_id
from app.core.redis import sync_client
from app.core.redis_publisher import publisher
from app.queue import producer, queries
from app.queue import service as jobs
from app.queue.models import JobProgress
from app.queue.states import JobStatus
from tests.builders import count, undone


async def carried(queue: str = "orders") -> list[str]:
    """The job ids that lie in a Dramatiq queue, once the publisher has run its commands."""
    await asyncio.to_thread(publisher.close)
    messages = sync_client().hvals(f"dramatiq:{queue}.msgs")
    return [json.loads(message)["args"][0] for message in messages]


async def test_a_job_posted_in_a_transaction_that_fails_leaves_nothing(app) -> None:
    await undone(jobs.post("payments.create", {}))
    assert await count("job") == 0
    assert await carried() == []


async def test_word_of_a_job_leaves_after_the_commit_and_not_before(app) -> None:
    async with db.transaction():
        job_id = await jobs.post("payments.create", {"order_id": "x"})
        assert await carried() == []
    assert await carried() == [str(job_id)]


async def test_the_message_names_the_actor_and_carries_nothing_but_the_id(app) -> None:
    job_id = await jobs.post("mail.send", {"mail_id": "secret"})
    await asyncio.to_thread(publisher.close)
    message = json.loads(sync_client().hvals("dramatiq:mail.msgs")[0])
    assert (message["actor_name"], message["args"], message["kwargs"]) == ("mail.send", [str(job_id)], {})


async def test_a_job_that_may_wait_travels_on_the_delay_queue(app) -> None:
    job_id = await jobs.post("payments.check", {}, wait=timedelta(minutes=5))
    assert await carried() == []
    assert await carried("orders.DQ") == [str(job_id)]
    assert await jobs.claim(job_id) is None


@pytest.mark.parametrize(
    ("name", "queue"),
    [("payments.create", "orders"), ("fulfillment.collect", "orders"), ("mail.send", "mail"), ("catalog.sync", "mail")],
)
def test_letters_and_housekeeping_never_stand_before_what_customers_wait_for(name: str, queue: str) -> None:
    assert producer.queue_of(name) == queue


async def test_a_second_pending_job_of_the_same_meaning_is_not_posted(app) -> None:
    first = await jobs.post("payments.check", {}, dedupe="check:1")
    assert await jobs.post("payments.check", {}, dedupe="check:1") is None
    assert await jobs.post("payments.check", {}, dedupe="check:2") is not None
    assert first is not None
    assert await count("job") == 2


async def test_one_that_is_worked_on_does_not_keep_the_next_away(app) -> None:
    first = await jobs.post("payments.check", {}, dedupe="check:1")
    assert first is not None
    assert await jobs.claim(first) is not None
    assert await jobs.post("payments.check", {}, dedupe="check:1") is not None
    assert await count("job") == 2


async def test_of_twenty_posts_at_once_one_stands(app) -> None:
    made = await asyncio.gather(*(jobs.post("payments.check", {}, dedupe="check:1") for _ in range(20)))
    assert sum(job is not None for job in made) == 1
    assert await count("job") == 1


async def test_a_jobs_status_is_told_by_its_id_and_nothing_by_an_unknown_one(app) -> None:
    subject = new_id()
    job_id = await jobs.post("payments.create", {}, subject=subject)
    assert job_id is not None
    found = await queries.status(job_id)
    assert found == JobProgress(job_id, JobStatus.PENDING, 0, None, subject)
    assert await queries.status(new_id()) is None


async def test_a_due_job_without_a_worker_is_sent_again(app) -> None:
    job_id = await jobs.post("payments.create", {})
    assert await carried() == [str(job_id)]
    sync_client().flushall()
    found = await jobs.due(clock.now(), 10)
    producer.send_all(found)
    assert found == [(job_id, "payments.create")]
    assert await carried() == [str(job_id)]


async def test_only_what_was_due_then_is_sent_again_the_oldest_first(app) -> None:
    now = clock.now()
    ids = [await jobs.post("payments.check", {}, wait=timedelta(seconds=s)) for s in (30, 10, 20)]
    assert await jobs.due(now, 10) == []
    assert [i for i, _ in await jobs.due(now + timedelta(seconds=25), 10)] == [ids[1], ids[2]]
    assert [i for i, _ in await jobs.due(now + timedelta(minutes=5), 2)] == [ids[1], ids[2]]


async def test_how_long_the_oldest_due_job_has_waited_is_told(app) -> None:
    assert await queries.oldest_due() == 0
    await jobs.post("payments.create", {})
    with clock.travelled(timedelta(seconds=90)):
        assert 89 < await queries.oldest_due() < 95
