"""What can happen to messages on their way through Redis: said twice, lost, all of them wiped."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import redis

from app.queue.producer import QUEUES, PipelinedProducer, message_for


def send_again(wire: "redis.Redis", jobs: Iterable[dict[str, Any]], copies: int) -> None:
    """Enqueue further messages of jobs (rows with ``id`` and ``name``), as a queue that delivers at least once may."""
    producer = PipelinedProducer(client=wire, middleware=[])  # type: ignore[no-untyped-call]
    with wire.pipeline(transaction=False) as pipe:
        for job in jobs:
            for _ in range(copies):
                producer.add(pipe, message_for(UUID(str(job["id"])), job["name"]), None)
        pipe.execute()


def queued(wire: "redis.Redis") -> int:
    """Messages that no worker has taken yet."""
    return sum(int(wire.llen(f"dramatiq:{queue}")) for queue in QUEUES)


def refuse(wire: "redis.Redis") -> None:
    """Redis is full: it takes no message any more, and says so."""
    wire.config_set("maxmemory", "1")


def accept(wire: "redis.Redis") -> None:
    """Redis has room again."""
    wire.config_set("maxmemory", "0")
