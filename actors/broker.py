"""The Redis broker, with the pools of a worker opened on the worker's own event loop."""

import asyncio
from typing import Any

import dramatiq
import uvloop
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import AsyncIO, Middleware

from actors.consumer import WakingBroker
from actors.retry_middleware import RowRetries
from app.core import db, garbage, log, pools
from app.core.pools import Role
from app.core.redis_publisher import publisher
from app.core.settings import settings
from app.issues.clocks import ClockWatch
from app.providers.kit import Providers, open_providers
from app.queue.producer import redis_for_dramatiq
from app.queue.worker_liveness import WorkerLiveness

THREAD_POLL = 1.0  # seconds between a waiting thread's looks at whether it is to stop
MAINTENANCE = 10_000  # of a million calls, those that look after dead workers' messages; an idle worker calls rarely

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
log.set_up(settings().log_level, "worker")
_kit: Providers | None = None
_liveness = WorkerLiveness()
_watching: asyncio.Task[None] | None = None


def kit() -> Providers:
    """This worker's providers."""
    if _kit is None:
        raise RuntimeError("the worker has not booted")
    return _kit


async def open_kit(role: Role) -> None:
    """Open what jobs need, on the running loop."""
    global _kit, _watching
    await db.open_pool_of(role)
    await _liveness.open(role.name)
    _kit = open_providers(settings())
    garbage.settle()
    _watching = asyncio.create_task(ClockWatch().run(), name="clock-watch")


async def close_kit() -> None:
    global _kit
    if _kit is not None:
        await _kit.aclose()
        _kit = None
    if _watching is not None:
        _watching.cancel()
    await _liveness.close()
    await db.close_pool()


def on_loop(work: Any) -> Any:
    """Run a coroutine on the worker's event loop from one of its threads, and wait for it."""
    thread = get_event_loop_thread()
    assert thread is not None
    return thread.run_coroutine(work)


class Kit(Middleware):
    """Opens the pools when a worker process starts, closes them when its jobs are drained."""

    def before_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        on_loop(open_kit(pools.WEBHOOKS if worker.consumer_whitelist == {"webhooks"} else pools.WORKER))

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        # The consumers wake the threads, which need not look by themselves.
        for thread in worker.workers:
            thread.timeout = THREAD_POLL

    def before_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        publisher.close()

    def after_worker_shutdown(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        on_loop(close_kit())


# Middleware ends in reverse order: the kit is closed before its loop stops.
broker = WakingBroker(  # type: ignore[no-untyped-call]
    client=redis_for_dramatiq(), middleware=[AsyncIO(), Kit(), RowRetries()], maintenance_chance=MAINTENANCE
)
dramatiq.set_broker(broker)
