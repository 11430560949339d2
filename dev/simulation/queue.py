"""The queue in place of Redis and Dramatiq: it loses, doubles, delays and reorders, and is wiped now and then."""

from collections import deque
from contextlib import suppress
from typing import Any
from uuid import UUID

from actors.job import attempt
from actors.retry_middleware import AGAIN, AWAY
from app.core.redis_publisher import publisher
from app.providers.kit import Providers
from app.queue import producer
from app.queue.retry_policy import AttemptFailed, decide
from app.queue.service import LEASE
from dev.simulation.faults import Faults
from dev.simulation.processes import Process, Processes
from dev.simulation.scheduler import Scheduler

QUICK = (0.002, 0.08)  # seconds from sending to a worker's hands
LATE = (2.0, 90.0)
SLOTS = 16  # jobs a worker works on at once


class Queue:
    """Stands in for the producer's broker and the publisher's pipeline."""

    def __init__(self, scheduler: Scheduler, faults: Faults, processes: Processes, kit: Providers) -> None:
        self._scheduler, self._faults, self._processes, self._kit = scheduler, faults, processes, kit
        self._line: deque[tuple[UUID, str]] = deque()
        self._age = 0
        processes.on_worker = self._hand_out

    def put_between(self) -> None:
        """From here on every message goes this way. The fields are the transport's own, so nothing else may know."""
        producer._producer = lambda: self  # type: ignore[assignment]
        publisher.send = lambda command: command(self)  # type: ignore[method-assign,assignment,arg-type]

    def publish(self, channel: str, news: bytes) -> None:
        """News for open pages; nobody here has one open."""

    def wipe(self) -> None:
        self._age += 1
        self._line.clear()

    def add(self, pipe: Any, message: Any, wait: int | None) -> None:
        """Take a message; ``wait`` in milliseconds. Its fate is drawn now."""
        faults, name = self._faults, message.actor_name
        if faults.lasts("Redis away", self._scheduler.seconds) or faults.strikes("message lost"):
            return
        for _ in range(2 if faults.strikes("message doubled") else 1):
            delay = faults.chance.uniform(*(LATE if faults.strikes("message late") else QUICK))
            self._on_its_way(UUID(message.args[0]), name, delay + (wait or 0) / 1000)

    def _on_its_way(self, job_id: UUID, name: str, delay: float) -> None:
        age = self._age
        self._scheduler.after(delay, lambda: self._deliver(job_id, name, age))

    def _deliver(self, job_id: UUID, name: str, age: int) -> None:
        if age != self._age:
            return
        self._line.append((job_id, name))
        self._hand_out()

    def _hand_out(self) -> None:
        """Give waiting messages to workers with a free place."""
        while self._line:
            free = [worker for worker in self._processes.workers if worker.busy < SLOTS]
            if not free:
                return
            worker = self._faults.chance.choice(free)
            worker.busy += 1
            job_id, name = self._line.popleft()
            self._scheduler.start(name, self._work(job_id, name, worker), process=worker)

    async def _work(self, job_id: UUID, name: str, worker: Process) -> None:
        """What a worker does with a message: the actor, then the retry policy's middleware."""
        try:
            done = await attempt(job_id, self._kit)
            self._scheduler.say(f"{name} {job_id} {'done' if done else 'not to be had'}")
        except AttemptFailed as failed:
            self._scheduler.say(f"{name} {job_id} failed: {failed.cause!r}"[:200])
            await self._decide(failed)
        finally:
            worker.busy -= 1
            self._scheduler.after(0, self._hand_out)

    async def _decide(self, failed: AttemptFailed) -> None:
        """``actors.retry_middleware.decided``, waiting by our clock."""
        for _ in range(int(LEASE.total_seconds() / AGAIN)):
            with suppress(*AWAY):
                await decide(failed)
                return
            await self._scheduler.pause(AGAIN)
