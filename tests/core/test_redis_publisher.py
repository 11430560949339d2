"""The publisher: no command holds up whoever sends it, and one that fails does not stop the next."""

import asyncio
import json
import subprocess
import sys
import threading

from app.core.redis import sync_client
from app.core.redis_publisher import BACKLOG, RedisPublisher
from tests.builders import elsewhere
from tests.conftest import ROOT

WITHOUT_REDIS = """
import asyncio, json, time
from app.core import db, rate_limit
from app.core.redis_publisher import publisher
from app.core.ids import new_id
from app.history import service as history
from app.queue import service as jobs

async def work():
    await db.open_pool(2)
    subject, began = new_id(), time.monotonic()
    for number in range(100):
        async with db.transaction():
            await jobs.post("maintenance.purge", {"number": number}, subject=subject)
            await history.record(subject, "thing.happened")
        await rate_limit.acquire("orders", "192.0.2.7", 100)  # counted by this process alone meanwhile
    seconds = time.monotonic() - began
    kept = await db.fetch_value("SELECT count(*) FROM job WHERE subject = $1", subject)
    told = await db.fetch_value("SELECT last_seq FROM timeline WHERE subject = $1", subject)
    await db.close_pool()
    print(json.dumps([kept, told, seconds]))

asyncio.run(work())
publisher.close()
"""


async def test_with_redis_away_everything_is_kept_nobody_waits_and_nobody_is_turned_away(app) -> None:
    away = elsewhere(REDIS_URL="unix:///nowhere/redis.sock")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WITHOUT_REDIS, cwd=ROOT, env=away, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    answer, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    kept, told, seconds = json.loads(answer.splitlines()[-1])
    print(f"\n100 transactions without Redis took {seconds:.1f} s")
    assert (kept, told) == (100, 100)


def test_sending_never_waits_for_a_command() -> None:
    publisher, held, reached, let_go = RedisPublisher(), threading.Event(), threading.Event(), list[bool]()
    publisher.send(lambda pipe: (reached.set(), let_go.append(held.wait(60))))
    assert reached.wait(10)
    for _ in range(BACKLOG + 500):
        publisher.send(lambda pipe: None)
    assert let_go == []  # all were sent while the first is still under way
    held.set()
    publisher.close()
    assert let_go == [True]


def test_a_failing_command_does_not_stop_the_next() -> None:
    publisher, name = RedisPublisher(), "publisher:test"
    publisher.send(lambda pipe: 1 // 0)
    publisher.close()
    publisher.send(lambda pipe: pipe.set(name, "here"))
    publisher.close()
    assert sync_client().getdel(name) == b"here"


def test_errands_are_carried_in_order_and_closing_waits_for_them() -> None:
    publisher, name = RedisPublisher(), "publisher:list"
    for number in range(500):
        publisher.send(lambda pipe, n=number: pipe.rpush(name, n))
    publisher.close()
    assert [int(n) for n in sync_client().lrange(name, 0, -1)] == list(range(500))
    sync_client().delete(name)
