"""Virtual time, and which of many activities goes on next.

One runs at a time, from one ``pause`` to the next; what it asks of Postgres runs through. So the order of everything
that happens hangs on the agenda alone, and the agenda on the seed.
"""

import asyncio
import hashlib
import heapq
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

EPOCH = datetime(2031, 1, 6, 9, tzinfo=UTC)  # far from any wall clock, so that a mix-up shows
SECOND = 1_000_000  # microseconds


@dataclass(eq=False)
class Activity:
    """Something being done: a job's attempt, a request, a customer's life. ``process`` dies and takes it along."""

    name: str
    work: Coroutine[Any, Any, Any]
    process: Any = None
    task: "asyncio.Task[None] | None" = None
    change_intensity: "asyncio.Future[None] | None" = None
    ended: bool = False
    result: Any = None
    watchers: "list[Activity]" = field(default_factory=list)


class Scheduler:
    """The agenda. ``trace`` is given every line of the history; ``broken`` every error nobody caught."""

    def __init__(self, trace: TextIO | None = None) -> None:
        self.microseconds = 0
        self.current: Activity | None = None
        self.broken: list[tuple[str, Exception]] = []
        self.on_turn: Callable[[Activity], None] = lambda _: None
        self._agenda: list[tuple[int, int, Activity | Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._doomed: list[Activity] = []
        self._chores: list[Callable[[], Awaitable[object]]] = []
        self._handed_back: asyncio.Future[None] | None = None
        self._digest, self._trace = hashlib.sha256(), trace

    def now(self) -> datetime:
        """A microsecond later each time: no two moments are the same, so no order hangs on how Postgres breaks ties."""
        self.microseconds += 1
        return EPOCH + timedelta(microseconds=self.microseconds)

    @property
    def seconds(self) -> float:
        return self.microseconds / SECOND

    def say(self, what: str) -> None:
        """Add a line to the history."""
        line = f"{self.microseconds} {what}\n"
        self._digest.update(line.encode())
        if self._trace is not None:
            self._trace.write(line)

    @property
    def digest(self) -> str:
        """Of the whole history so far."""
        return self._digest.hexdigest()

    def after(self, seconds: float, what: "Activity | Callable[[], None]") -> None:
        heapq.heappush(self._agenda, (self.microseconds + int(seconds * SECOND), next(self._numbers), what))

    def start(self, name: str, work: Coroutine[Any, Any, Any], *, process: Any = None, after: float = 0.0) -> Activity:
        activity = Activity(name, work, process)
        self.after(after, activity)
        return activity

    def chore(self, work: Callable[[], Awaitable[object]]) -> None:
        """Something to be done by no one, before the next turn."""
        self._chores.append(work)

    @property
    def mine(self) -> bool:
        """Whether the caller is whose turn it is; setting up, and tasks spawned below, are not."""
        return self.current is not None and asyncio.current_task() is self.current.task

    async def pause(self, seconds: float) -> None:
        """Let others go on for so long. Outside of a turn it returns at once."""
        if self.mine:
            assert self.current is not None
            self.after(seconds, self.current)
            await self._yield()

    async def join(self, other: Activity) -> Any:
        """Wait until ``other`` has ended; its result, None if it died."""
        if not other.ended:
            assert self.mine
            assert self.current is not None
            other.watchers.append(self.current)
            await self._yield()
        return other.result

    async def _yield(self) -> None:
        assert self.current is not None
        assert self._handed_back is not None
        self.current.change_intensity = asyncio.get_running_loop().create_future()
        self._handed_back.set_result(None)
        await self.current.change_intensity

    def doom(self, process: Any) -> None:
        """Everything that ``process`` was doing ends before the next turn, but what is calling this."""
        seen = {id(a): a for _, _, a in self._agenda if isinstance(a, Activity) and a.process is process}
        self._doomed += [a for a in seen.values() if not a.ended and a is not self.current]

    def busy_until(self) -> float:
        """Seconds until the next entry of the agenda; endless when it is empty."""
        return (self._agenda[0][0] - self.microseconds) / SECOND if self._agenda else float("inf")

    async def run(self, going: Callable[[], bool]) -> None:
        while self._agenda and going():
            due, _, what = heapq.heappop(self._agenda)
            self.microseconds = max(self.microseconds, due)
            if isinstance(what, Activity):
                await self._turn(what)
            else:
                what()
            await self._purge()

    async def close(self) -> None:
        """End everything that still waits."""
        self._doomed += [a for _, _, a in self._agenda if isinstance(a, Activity)]
        await self._purge()

    async def _purge(self) -> None:
        while self._doomed:
            await self._end(self._doomed.pop(0))
        while self._chores:
            await self._chores.pop(0)()

    async def _turn(self, activity: Activity) -> None:
        if activity.ended:
            return
        self.current = activity
        self.on_turn(activity)
        self._handed_back = asyncio.get_running_loop().create_future()
        if activity.task is None:
            activity.task = asyncio.create_task(self._live(activity), name=activity.name)
        else:
            assert activity.change_intensity is not None
            activity.change_intensity.set_result(None)
        await self._handed_back
        self.current = None

    async def _live(self, activity: Activity) -> None:
        try:
            activity.result = await activity.work
        except asyncio.CancelledError:
            self.say(f"{activity.name} died")
        except Exception as error:
            self.say(f"{activity.name} broke: {type(error).__name__}")
            self.broken.append((activity.name, error))
        finally:
            self._ended(activity)

    def _ended(self, activity: Activity) -> None:
        activity.ended = True
        for watcher in activity.watchers:
            self.after(0, watcher)
        if self.current is activity and self._handed_back is not None and not self._handed_back.done():
            self._handed_back.set_result(None)

    async def _end(self, activity: Activity) -> None:
        if activity.ended:
            return
        if activity.task is None:
            activity.work.close()
            self._ended(activity)
            return
        activity.task.cancel()
        await asyncio.wait([activity.task])
