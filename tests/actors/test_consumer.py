"""A worker's consumer sleeps in Redis and is woken by a message; waiting neither takes nor reorders anything."""

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import timedelta

import dramatiq
import pytest
import redis
from dramatiq.common import current_millis
from dramatiq.errors import ConnectionClosed
from redis.backoff import NoBackoff
from redis.retry import Retry

from actors.consumer import WakingBroker, WokenConsumer
from app.core import clock
from app.core.ids import new_id
from app.queue.producer import PipelinedProducer, message_for, redis_for_dramatiq
from dev.environment import until

QUEUE = "quiet"


@pytest.fixture
def broker(app) -> WakingBroker:
    made = WakingBroker(client=redis_for_dramatiq(), middleware=[])
    made.declare_queue(QUEUE)
    return made


def send(broker: WakingBroker, name: str, *, delay: int | None = None) -> None:
    """A message of this name, after ``delay`` milliseconds."""
    message = dramatiq.Message(queue_name=QUEUE, actor_name=name, args=(), kwargs={}, options={}, message_id=name)
    broker.enqueue(message, delay=delay)


def consumer(broker: WakingBroker, *, queue: str = QUEUE, prefetch: int = 8) -> WokenConsumer:
    made = broker.consume(queue, prefetch)
    assert isinstance(made, WokenConsumer)
    return made


@pytest.mark.parametrize("minutes", [-10, 0, 10])
def test_a_message_that_waits_is_due_at_one_moment_for_every_machine(app, broker: WakingBroker, minutes: int) -> None:
    """It carries Postgres' time; a consumer reads it as its own clock will show it then."""
    broker.declare_queue("orders")
    with clock.machine_off_by(timedelta(minutes=13)), redis_for_dramatiq().pipeline() as pipe:
        sender = PipelinedProducer(client=redis_for_dramatiq(), middleware=[])
        sender.declare_queue("orders")
        sender.add(pipe, message_for(new_id(), "payments.check"), 5000)
        pipe.execute()
    off = timedelta(minutes=minutes)
    with clock.machine_off_by(off):
        message = next(consumer(broker, queue="orders.DQ"))
        assert message is not None
        due_in = message.options["eta"] - (clock.machine().timestamp() * 1000)
    assert 0 < due_in <= 5000


def names(made: WokenConsumer, count: int) -> list[str]:
    found: list[str] = []
    for _ in range(40):  # waits of half a second each at the most
        if len(found) == count:
            break
        message = next(made)
        found += [message.actor_name] if message else []
    return found


def asked(broker: WakingBroker) -> int:
    """How many times Redis has run Dramatiq's script."""
    stats = broker.client.info("commandstats")
    return sum(stats.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("eval", "evalsha"))


@pytest.fixture
async def sleeper(broker: WakingBroker) -> AsyncIterator[tuple[WokenConsumer, list[str]]]:
    """A consumer that waits in Redis in a thread of its own, for one message."""
    made, found = consumer(broker, prefetch=1), list[str]()
    thread = threading.Thread(target=lambda: found.extend(names(made, 1)))
    thread.start()
    await until(lambda: broker.client.info("clients")["blocked_clients"] > 0, "the consumer waits in Redis")
    yield made, found
    if thread.is_alive():
        send(broker, "end")
    await asyncio.to_thread(thread.join)


async def test_it_waits_in_redis_and_a_message_wakes_it(broker, sleeper) -> None:
    _, found = sleeper
    send(broker, "first")
    await until(lambda: found, "the message has come")
    assert found == ["first"]
    assert broker.client.llen(f"dramatiq:{QUEUE}") == 0


async def test_an_idle_one_hardly_asks(broker, sleeper) -> None:
    before, waits = asked(broker), broker.client.info("commandstats")["cmdstat_blmove"]["calls"]
    await until(lambda: broker.client.info("commandstats")["cmdstat_blmove"]["calls"] >= waits + 3, "it waits on")
    assert asked(broker) - before <= 4, "one look a wait"


async def test_waiting_changes_no_order_and_takes_nothing(broker) -> None:
    sent = [f"n{number}" for number in range(5)]
    for name in sent:
        send(broker, name)
    made = consumer(broker)
    made._wait()
    assert broker.client.llen(f"dramatiq:{QUEUE}") == 5
    assert names(made, 5) == sent


async def test_two_sleepers_share_what_comes(broker, sleeper) -> None:
    _, found = sleeper
    other = consumer(broker)
    send(broker, "one")
    send(broker, "two")
    await until(lambda: found, "the sleeper has one")
    assert sorted([*found, *names(other, 1)]) == ["one", "two"]


async def test_one_that_may_take_no_more_leaves_the_rest_where_it_is(broker) -> None:
    made = consumer(broker, prefetch=2)
    for name in ("one", "two", "three"):
        send(broker, name)
    assert names(made, 2) == ["one", "two"]
    assert next(made) is None
    assert broker.client.llen(f"dramatiq:{QUEUE}") == 1


async def test_a_delayed_message_ends_the_wait_when_its_time_has_come(broker) -> None:
    made = consumer(broker, queue=f"{QUEUE}.DQ")
    send(broker, "later", delay=60)
    message = next(made)
    assert message is not None
    while current_millis() <= message.options["eta"]:
        assert next(made) is None
    assert made.outstanding_message_count == 1, "the worker's thread holds it until then"


async def test_a_lost_line_is_said_the_way_dramatiq_expects(broker) -> None:
    away = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    with pytest.raises(ConnectionClosed):
        next(WakingBroker(client=away, middleware=[]).consume(QUEUE))
    made = consumer(broker)
    broker.client = away
    with pytest.raises(ConnectionClosed):
        made._wait()
