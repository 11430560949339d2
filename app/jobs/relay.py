"""Carries job ids to the workers: a Dramatiq message per job, best effort. The row stays the truth."""

from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker

from app.core import db
from app.core.courier import courier
from app.core.redis import options
from app.core.settings import settings

QUEUES = ("orders", "mail")
SLOW_ROOMS = {"mail": "mail", "catalog": "mail", "house": "mail"}


def queue_of(name: str) -> str:
    """The queue a job travels on: what customers wait for is not held up by letters and housekeeping."""
    return SLOW_ROOMS.get(name.partition(".")[0], "orders")


def redis_for_dramatiq() -> redis.Redis:
    """A client for a broker; the URL may be ``redis://``, ``rediss://`` or ``unix://``."""
    url = settings().redis_url.get_secret_value()
    return redis.Redis.from_url(url, **options(url))


@lru_cache(maxsize=1)
def _broker() -> RedisBroker:
    return RedisBroker(client=redis_for_dramatiq(), middleware=[])  # type: ignore[no-untyped-call]


def message_for(job_id: UUID, name: str) -> "dramatiq.Message[None]":
    return dramatiq.Message(queue_name=queue_of(name), actor_name=name, args=(str(job_id),), kwargs={}, options={})


def send(job_id: UUID, name: str, *, delay: float = 0) -> None:
    """Send word of one job once the surrounding transaction has committed; ``delay`` in seconds."""
    wait = max(int(delay * 1000), 1) if delay > 0 else None
    db.after_commit(lambda: courier.send(lambda: _enqueue(job_id, name, wait)))


def send_all(jobs: Iterable[tuple[UUID, str]]) -> None:
    for job_id, name in jobs:
        send(job_id, name)


def _enqueue(job_id: UUID, name: str, wait: int | None) -> None:
    _broker().enqueue(message_for(job_id, name), delay=wait)
