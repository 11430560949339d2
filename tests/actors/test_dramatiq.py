"""The parts of Dramatiq that it promises to nobody and that we stand on.

Where one of these fails after a new version:

1. Read what changed in ``dramatiq/brokers/redis.py``, its ``dispatch.lua`` and ``dramatiq/worker.py``.
2. Bring ``app/queue/producer.py``, ``actors/consumer.py`` and ``actors/broker.py`` into line.
3. Run ``tests/actors``, ``tests/queue``, ``tests/faults`` and ``make bench``.
4. Write the new facts here, and the new range into ``pyproject.toml``.
"""

import hashlib
import importlib.metadata
import inspect
import tomllib
from pathlib import Path
from typing import Any

import dramatiq
import pytest
from dramatiq import worker as workers
from dramatiq.brokers import redis as brokers
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from actors.consumer import WakingBroker
from app.queue.producer import PipelinedProducer, redis_for_dramatiq
from tests.conftest import ROOT

ADVICE = "Dramatiq's private parts changed: the head of this file says what to do"
KNOWN = SpecifierSet(">=2.2.1,<2.3")
DISPATCH = "ba4d872e4fb204ebc3f73ca4719265a9946d70e847856c125314f01a8c90540c"


class Recorder:
    """Stands for a Lua script, and keeps what it is called with."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def __call__(self, **call: Any) -> None:
        self.calls.append(call)


def test_dramatiq_is_pinned_to_the_release_whose_private_parts_are_known() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (asked,) = [one for line in project["dependencies"] if (one := Requirement(line)).name == "dramatiq"]
    assert asked.specifier == KNOWN, ADVICE
    assert importlib.metadata.version("dramatiq") in KNOWN, ADVICE


def test_the_script_that_hands_messages_out_is_the_one_we_know() -> None:
    script = Path(brokers.__file__).parent / "redis" / "dispatch.lua"
    assert hashlib.sha256(script.read_bytes()).hexdigest() == DISPATCH, ADVICE


async def test_our_producer_calls_the_script_with_what_dramatiqs_broker_gives_it(app) -> None:
    theirs = brokers.RedisBroker(client=redis_for_dramatiq(), middleware=[])
    ours = PipelinedProducer(client=redis_for_dramatiq(), middleware=[])
    ours.broker_id = theirs.broker_id
    sent = []
    for broker in (theirs, ours):
        assert "dispatch" in broker.scripts, ADVICE
        recorder = broker.scripts["dispatch"] = Recorder()
        broker._dispatch("enqueue")("orders", "number", b"body")
        sent += recorder.calls
    for call in sent:
        call.pop("client", None)
        call["args"][1] = "now"
        call["args"][6:8] = ["whether to look after dead workers", "how many Lua unpacks at once"]
    assert sent[0] == sent[1], ADVICE


@pytest.mark.parametrize(
    ("method", "wanted"),
    [
        (brokers._RedisConsumer.__init__, ["self", "broker", "queue_name", "prefetch", "timeout"]),
        (brokers._RedisConsumer.__next__, ["self"]),
        (brokers.RedisBroker._dispatch, ["self", "command"]),
        (brokers.RedisBroker.consume, ["self", "queue_name", "prefetch", "timeout"]),
    ],
)
def test_what_we_override_takes_what_it_took(method: Any, wanted: list[str]) -> None:
    assert list(inspect.signature(method).parameters) == wanted, ADVICE


async def test_a_consumer_counts_what_is_under_way_and_the_broker_makes_it_of_our_class(app) -> None:
    broker = WakingBroker(client=redis_for_dramatiq(), middleware=[])
    broker.declare_queue("private")
    consumer = broker.consume("private", prefetch=3)
    assert type(consumer) is broker.consumer_class, ADVICE
    assert (consumer.prefetch, consumer.outstanding_message_count, consumer.timeout) == (3, 0, 0), ADVICE


async def test_a_worker_has_threads_with_a_timeout_and_the_queues_it_serves(app) -> None:
    broker = WakingBroker(client=redis_for_dramatiq(), middleware=[])
    worker = dramatiq.Worker(broker, queues={"webhooks"}, worker_threads=1)
    assert worker.consumer_whitelist == {"webhooks"}, ADVICE
    assert worker.workers == [], ADVICE
    thread = workers.WorkerThread(broker=broker, consumers={}, work_queue=worker.work_queue, worker_timeout=7)
    assert thread.timeout == 0.007, ADVICE
