"""The house's processes: they die, are started again, freeze, and lose their presence."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from app.jobs import presence
from simulation.faults import Weather
from simulation.scheduler import Activity, Scheduler

WORKERS = 3
RESTART = (0.5, 5.0)  # seconds until a supervisor has a dead process up again
FROZEN = (65.0, 140.0)  # seconds: longer than a lease
YOUNG = 15.0  # seconds of a process's life in which it does not die by itself: nothing is proven by a house of corpses
BACK = 1.0  # seconds until a worker that lost its connection has its presence again


@dataclass(eq=False)
class Process:
    """One life of a process; ``number`` is a worker's presence."""

    kind: str
    number: int | None
    born: float = 0.0
    alive: bool = True
    busy: int = 0


class Processes:
    """Who is alive. A worker's presence is a real advisory lock, held on a connection that is kept for it."""

    def __init__(self, scheduler: Scheduler, weather: Weather) -> None:
        self._scheduler, self._weather = scheduler, weather
        self._locks: asyncpg.Connection | None = None
        self._last = 0
        self.web: Process | None = None
        self.clock: Process | None = None
        self.workers: list[Process] = []
        self.on_clock: Callable[[Process], None] = lambda _: None
        self.on_worker: Callable[[], None] = lambda: None
        scheduler.on_turn = self._switch

    async def open(self, url: str) -> None:
        self._locks = await asyncpg.connect(url)
        self._scheduler.after(0, lambda: self._begin("web"))
        self._scheduler.after(0, lambda: self._begin("clock"))
        for _ in range(WORKERS):
            self._scheduler.after(0, lambda: self._begin("worker"))

    async def close(self) -> None:
        if self._locks is not None:
            await self._locks.close()

    def _switch(self, activity: Activity) -> None:
        """What a job is claimed with is its own process's number."""
        presence._holder = activity.process.number if activity.process is not None else None

    def _begin(self, kind: str) -> None:
        process = Process(kind, None, self._scheduler.seconds)
        if kind == "web":
            self.web = process
        elif kind == "clock":
            self.clock = process
            self.on_clock(process)
        else:
            self._last += 1
            process.number = self._last
            self._scheduler.chore(lambda: self._lock("pg_advisory_lock", process))
            self.workers.append(process)
            self._scheduler.after(0, self.on_worker)

    async def _lock(self, verb: str, process: Process) -> None:
        assert self._locks is not None
        await self._locks.fetchval(f"SELECT {verb}($1, $2)", presence.LOCK_CLASS, process.number)

    def any_worker(self) -> Process | None:
        return self._weather.chance.choice(self.workers) if self.workers else None

    def kill(self, process: Process | None) -> None:
        """All it was doing ends where it stands; its presence is gone at once; a supervisor starts another."""
        if process is None or not process.alive:
            return
        process.alive = False
        self._scheduler.say(f"{process.kind} killed")
        self._scheduler.doom(process)
        if process.kind == "worker":
            self.workers.remove(process)
            self._scheduler.chore(lambda: self._lock("pg_advisory_unlock", process))
        elif process.kind == "web":
            self.web = None
        else:
            self.clock = None
        self._scheduler.after(self._weather.chance.uniform(*RESTART), lambda: self._begin(process.kind))

    def lose_presence(self, process: Process | None) -> None:
        """Its connection is cut, so others think it dead; it goes on, and is seen again a moment later."""
        if process is None:
            return
        self._scheduler.chore(lambda: self._lock("pg_advisory_unlock", process))
        self._scheduler.after(BACK, lambda: self._present(process))

    def _present(self, process: Process) -> None:
        if process.alive:
            self._scheduler.chore(lambda: self._lock("pg_advisory_lock", process))

    def die_here(self, when: str) -> None:
        """Where a process may die, ``waiting`` or ``after its commit``: the coroutine never goes on."""
        process = self._scheduler.current.process if self._scheduler.mine and self._scheduler.current else None
        if process is None or self._scheduler.seconds < process.born + YOUNG:
            return
        if self._weather.strikes(f"{process.kind} died {when}"):
            self.kill(process)
            raise asyncio.CancelledError

    async def freeze_here(self, fault: str) -> None:
        """Where an activity may stand still past its lease, and go on as if nothing had been."""
        process = self._scheduler.current.process if self._scheduler.mine and self._scheduler.current else None
        if process is not None and process.kind == "worker" and self._weather.strikes(fault):
            await self._scheduler.pause(self._weather.chance.uniform(*FROZEN))
