"""The floor of a job: an actor that does nothing, on its own queue."""

import dramatiq
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AsyncIO

from app.queue.producer import redis_for_dramatiq

broker = RedisBroker(client=redis_for_dramatiq(), middleware=[AsyncIO()])  # type: ignore[no-untyped-call]
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="noop")
async def nothing() -> None:
    pass
