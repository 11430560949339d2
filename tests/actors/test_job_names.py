"""Every job that can be posted has an actor of its name, and the clock keeps all of them going."""

import ast
import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

import actors
from actors import clock as process
from actors.clock import FIRST, GRACE, SCHEDULE, post_scheduled, posted_before, sweep
from actors.job import JOBS, NEEDS
from app.core import clock
from app.core.redis import sync_client
from app.core.redis_publisher import publisher
from app.inbox.service import APPLIED_BY
from app.queue import producer
from app.queue import service as jobs
from app.queue.aliases import ALIASES
from app.queue.service import LEASE
from tests.builders import claimed, count, job_names, offered
from tests.conftest import ROOT


def posted_in(path: Path) -> set[str]:
    """Names of jobs that a module posts, by ``jobs.post("…")``, ``jobs.posting("…")`` or ``keep(…, job="…")``."""
    found = set[str]()
    for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
        place = {"jobs.post": 0, "jobs.posting": 0, "producer.send": 1}.get(ast.unparse(call.func))
        given = call.args[place : place + 1] if place is not None else []
        given += [keyword.value for keyword in call.keywords if keyword.arg == "job"]
        found |= {node.value for node in given if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return found


POSTED = sorted(
    {name for folder in ("app", "actors") for p in (ROOT / folder).rglob("*.py") for name in posted_in(p)}
    | set(APPLIED_BY.values())
)


def test_the_search_for_posted_jobs_finds_them() -> None:
    assert {"payments.create", "mail.send", "payments.apply_notice", "fulfillment.check", "fulfillment.collect"} <= set(
        POSTED
    )


@pytest.mark.parametrize("name", sorted({*POSTED, *SCHEDULE}))
def test_a_job_that_is_posted_has_an_actor(name: str) -> None:
    assert name in JOBS


@pytest.mark.parametrize("name", sorted(JOBS))
def test_an_actor_bears_the_name_of_its_job_and_listens_where_its_messages_go(name: str) -> None:
    actor = actors.broker.get_actor(name)
    assert (actor.actor_name, actor.queue_name) == (name, producer.queue_of(name))
    assert actor.queue_name in producer.QUEUES


@pytest.mark.parametrize("name", sorted(JOBS.keys() - set(ALIASES.values())))
def test_every_job_is_posted_by_somebody(name: str) -> None:
    assert name in {*POSTED, *SCHEDULE}


@pytest.mark.parametrize(("name", "old"), sorted(ALIASES.items()))
def test_a_job_has_one_name_and_runs_by_the_one_it_had_before(name: str, old: str) -> None:
    assert JOBS[old] == JOBS[name]
    assert NEEDS[old] == NEEDS[name]
    assert old not in {*POSTED, *SCHEDULE}


async def test_a_job_that_was_queued_before_the_upgrade_still_runs(app, drain) -> None:
    await jobs.post("house.tidy", {})
    assert await drain() == 1
    assert await job_names("completed") == ["house.tidy"]


def test_there_are_no_actors_but_jobs() -> None:
    assert actors.broker.get_declared_actors() == set(JOBS)


async def messages() -> list[str]:
    """The job ids whose word lies in Redis."""
    await asyncio.to_thread(publisher.close)
    found = [sync_client().hvals(f"dramatiq:{queue}.msgs") for queue in producer.QUEUES]
    return [json.loads(message)["args"][0] for queue in found for message in queue]


async def test_a_sweep_sends_again_what_redis_has_lost(app) -> None:
    job_id = await jobs.post("payments.create", {})
    assert await messages() == [str(job_id)]
    sync_client().flushall()
    await sweep()
    assert await messages() == []
    with clock.travelled(GRACE + timedelta(seconds=1)):
        await sweep()
    assert await messages() == [str(job_id)]


async def test_a_sweep_takes_back_what_a_dead_worker_held(app) -> None:
    lease = await claimed("payments.create")
    with clock.travelled(LEASE + timedelta(seconds=1)):
        await sweep()
        assert await jobs.claim(lease.id) is not None


async def test_a_sweep_asks_about_what_is_due(app) -> None:
    await offered(app.state.kit)
    with clock.travelled(timedelta(minutes=5)):
        await sweep()
    assert "payments.check" in await job_names()


async def test_housekeeping_is_posted_when_its_time_has_come_and_once(app) -> None:
    last: dict[str, float] = {}
    await post_scheduled(last, 0.0)
    assert await count("job") == 0
    soonest = min(SCHEDULE.values())
    await post_scheduled(last, float(soonest))
    assert await job_names() == sorted(name for name, seconds in SCHEDULE.items() if seconds == soonest)
    for _ in range(3):
        await post_scheduled(last, float(max(SCHEDULE.values())))
    assert await job_names() == sorted(SCHEDULE)


async def test_a_clock_that_restarts_within_the_hour_still_posts_what_is_due_once_an_hour(app, drain) -> None:
    await post_scheduled(dict.fromkeys(SCHEDULE, -1e9), 0.0)
    await drain()
    for minutes, posted in ((50, 1), (70, 2)):
        with clock.travelled(timedelta(minutes=minutes)):
            await post_scheduled(await posted_before(0.0), 0.0)
        assert await count("job", "name = 'keys.retire'") == posted


async def test_a_clock_that_never_runs_for_an_hour_posts_what_is_due_once_an_hour_all_the_same(app) -> None:
    await post_scheduled(await posted_before(0.0), 0.0)
    assert await job_names() == ["catalog.sync_rates"]
    last = await posted_before(0.0)
    await post_scheduled(last, FIRST)
    assert await job_names() == sorted(name for name in SCHEDULE)


async def test_every_piece_of_housekeeping_runs(app, drain) -> None:
    await post_scheduled(dict.fromkeys(SCHEDULE, -1e9), 0.0)
    assert await drain() == len(SCHEDULE)
    assert await job_names("completed") == sorted(SCHEDULE)


def test_the_clock_sweeps_often_enough_to_resume_within_seconds() -> None:
    assert process.SWEEP + GRACE.total_seconds() <= 10
