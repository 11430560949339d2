"""The shop's processes: they die, are started again, freeze, and lose their liveness."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from app.queue import worker_liveness
from dev.simulation.faults import Faults
from dev.simulation.scheduler import Activity, Scheduler

WORKERS = 3
RESTART = (0.5, 5.0)  # seconds until a supervisor has a dead process up again
FROZEN = (65.0, 140.0)  # seconds: longer than a lease
YOUNG = 15.0  # seconds of a process's life in which it does not die by itself: dead processes prove nothing
BACK = 4.0  # seconds until a worker whose signs got lost is seen again
AHEAD = timedelta(days=3650)


@dataclass(eq=False)
class Process:
    """One life of a process; ``number`` a worker shows itself by."""

    kind: str
    number: int | None
    born: float = 0.0
    alive: bool = True
    busy: int = 0


class Processes:
    """Who is alive. A worker's liveness is its row: what a live one renews every second stands in the future here."""

    def __init__(self, scheduler: Scheduler, faults: Faults) -> None:
        self._scheduler, self._faults = scheduler, faults
        self._signs: asyncpg.Connection | None = None
        self._last = 0
        self.web: Process | None = None
        self.clock: Process | None = None
        self.workers: list[Process] = []
        self.on_clock: Callable[[Process], None] = lambda _: None
        self.on_worker: Callable[[], None] = lambda: None
        scheduler.on_turn = self._switch

    async def open(self, url: str) -> None:
        self._signs = await asyncpg.connect(url)
        self._scheduler.after(0, lambda: self._begin("web"))
        self._scheduler.after(0, lambda: self._begin("clock"))
        for _ in range(WORKERS):
            self._scheduler.after(0, lambda: self._begin("worker"))

    async def close(self) -> None:
        if self._signs is not None:
            await self._signs.close()

    def _switch(self, activity: Activity) -> None:
        """What a job is claimed with is its own process's number."""
        worker_liveness._holder = activity.process.number if activity.process is not None else None

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
            self._scheduler.chore(lambda: self._show(process, AHEAD))
            self.workers.append(process)
            self._scheduler.after(0, self.on_worker)

    async def _show(self, process: Process, ahead: timedelta) -> None:
        """The worker's last sign of life is of so long from now."""
        assert self._signs is not None
        await self._signs.execute(
            """INSERT INTO process (id, role, host, pid, started_at, seen_at) VALUES ($1, 'worker', '', 0, $2, $2)
               ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at""",
            process.number, self._scheduler.now() + ahead,
        )  # fmt: skip

    def any_worker(self) -> Process | None:
        return self._faults.chance.choice(self.workers) if self.workers else None

    def kill(self, process: Process | None) -> None:
        """All it was doing ends where it stands, and it shows itself no more; a supervisor starts another."""
        if process is None or not process.alive:
            return
        process.alive = False
        self._scheduler.say(f"{process.kind} killed")
        self._scheduler.doom(process)
        if process.kind == "worker":
            self.workers.remove(process)
            self._scheduler.chore(lambda: self._show(process, timedelta()))
        elif process.kind == "web":
            self.web = None
        else:
            self.clock = None
        self._scheduler.after(self._faults.chance.uniform(*RESTART), lambda: self._begin(process.kind))

    def lose_liveness(self, process: Process | None) -> None:
        """Its signs don't get through, so others think it dead; it goes on, and is seen again a moment later."""
        if process is None:
            return
        self._scheduler.chore(lambda: self._show(process, -worker_liveness.DEAD))
        self._scheduler.after(BACK, lambda: self._present(process))

    def _present(self, process: Process) -> None:
        if process.alive:
            self._scheduler.chore(lambda: self._show(process, AHEAD))

    def die_here(self, when: str) -> None:
        """Where a process may die, ``waiting`` or ``after its commit``: the coroutine never goes on."""
        process = self._scheduler.current.process if self._scheduler.mine and self._scheduler.current else None
        if process is None or self._scheduler.seconds < process.born + YOUNG:
            return
        if self._faults.strikes(f"{process.kind} died {when}"):
            self.kill(process)
            raise asyncio.CancelledError

    async def freeze_here(self, fault: str) -> None:
        """Where an activity may stand still past its lease, and go on as if nothing had been."""
        process = self._scheduler.current.process if self._scheduler.mine and self._scheduler.current else None
        if process is not None and process.kind == "worker" and self._faults.strikes(fault):
            await self._scheduler.pause(self._faults.chance.uniform(*FROZEN))
