"""Carries job ids to the workers: a Dramatiq message per job, best effort. The row stays the truth."""

import itertools
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from uuid import UUID

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.common import current_millis, dq_name
from redis.client import Pipeline

from app.core import clock, db
from app.core.redis import options
from app.core.redis_publisher import publisher
from app.core.settings import settings

QUEUES = ("orders", "mail", "webhooks")
OUTSIDE = {"webhooks.deliver": "webhooks"}  # waits for machines of strangers, in a process of its own
SLOW_ROOMS = dict.fromkeys(("mail", "catalog", "maintenance", "audit", "ledger"), "mail")


def queue_of(name: str) -> str:
    """The queue a job travels on: what customers wait for is not held up by letters and housekeeping."""
    return OUTSIDE.get(name) or SLOW_ROOMS.get(name.partition(".")[0], "orders")


def redis_for_dramatiq() -> redis.Redis:
    """A client for a broker; the URL may be ``redis://``, ``rediss://`` or ``unix://``."""
    url = settings().redis_url.get_secret_value()
    return redis.Redis.from_url(url, **options(url))


class PipelinedProducer(RedisBroker):
    """A broker that only sends, and adds its commands to a pipeline shared with others.

    ``enqueue`` of the original asks Redis once a message; at a thousand notices a second that is most of the work.
    """

    _numbers = itertools.count()

    def add(self, pipe: "Pipeline", message: "dramatiq.Message[None]", wait: int | None) -> None:
        """Add ``message`` to ``pipe``, to be worked on after ``wait`` milliseconds."""
        queue = message.queue_name
        # Unique over processes too: the clock sends again what a web process has sent before.
        options: dict[str, object] = {"redis_message_id": f"{self.broker_id}-{next(self._numbers)}"}
        if wait is not None:
            queue = dq_name(queue)
            options["eta"] = clock.postgres_ms() + wait  # see WokenConsumer
        ready = message.copy(queue_name=queue, options=options)
        self._dispatch("enqueue", pipe)(queue, options["redis_message_id"], ready.encode())

    def _dispatch(self, command: str, pipe: "Pipeline | None" = None) -> Callable[..., object]:
        """The original's own arguments for its script, with the pipeline as the script's client."""
        script = self.scripts["dispatch"]

        def dispatch(queue: str, *args: Any) -> object:
            head: list[Any] = [
                command,
                current_millis(),
                queue,
                self.broker_id,
                self.heartbeat_timeout,
                self.dead_message_ttl,
            ]
            return script(keys=[self.namespace], args=[*head, 0, 1000, *args], client=pipe)

        return dispatch


@lru_cache(maxsize=1)
def _producer() -> PipelinedProducer:
    return PipelinedProducer(client=redis_for_dramatiq(), middleware=[])  # type: ignore[no-untyped-call]


def message_for(job_id: UUID, name: str) -> "dramatiq.Message[None]":
    """The message of one job, named after it."""
    text = str(job_id)
    return dramatiq.Message(
        queue_name=queue_of(name), actor_name=name, args=(text,), kwargs={}, options={}, message_id=text
    )


def send(job_id: UUID, name: str, *, delay: float = 0) -> None:
    """Send word of one job once the surrounding transaction has committed; ``delay`` in seconds."""
    wait = max(int(delay * 1000), 1) if delay > 0 else None
    db.after_commit(lambda: publisher.send(lambda pipe: _producer().add(pipe, message_for(job_id, name), wait)))


def send_all(jobs: Iterable[tuple[UUID, str]]) -> None:
    for job_id, name in jobs:
        send(job_id, name)
