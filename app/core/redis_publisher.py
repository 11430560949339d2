"""A thread that carries small best-effort writes to Redis, so that no request and no event loop waits for them.

When Redis is away, commands are dropped: each of them only hurries on what a table already says, and the clock's
sweep catches up.
"""

import queue
import threading
from collections.abc import Callable, Iterator

from redis import Redis
from redis.client import Pipeline

from app.core import log
from app.core.redis import sync_client

Command = Callable[["Pipeline"], object]
"""Adds its commands to a pipeline; must not read from it."""

BACKLOG = 20_000  # commands kept while Redis is slow; beyond it the newest are dropped, the sweep finds them
BATCH = 128  # commands that share a round trip when many are waiting


class RedisPublisher:
    """Runs commands in the order given; those that are waiting together share a round trip."""

    def __init__(self) -> None:
        self._commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._failing = False

    def send(self, command: Command) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="redis-publisher", daemon=True)
            self._thread.start()
        if self._commands.qsize() < BACKLOG:
            self._commands.put(command)
        else:
            self._failed("backlog full")

    def close(self, timeout: float = 5.0) -> None:
        """Carry out what is waiting, for at most ``timeout`` seconds, and end the thread."""
        if self._thread is not None:
            self._commands.put(None)
            self._thread.join(timeout)
            self._thread = None

    def _run(self) -> None:
        going = True
        while going:
            batch = list(self._next())
            going = batch[-1] is not None
            try:
                self._carry(sync_client(), [command for command in batch if command is not None])
                self._failing = False
            except Exception as error:
                self._failed(type(error).__name__)

    def _next(self) -> Iterator[Command | None]:
        """The next command, waiting for it, and those that stand behind it; None ends."""
        command = self._commands.get()
        yield command
        for _ in range(BATCH - 1):
            if command is None or self._commands.empty():
                return
            command = self._commands.get()
            yield command

    @staticmethod
    def _carry(client: "Redis", commands: list[Command]) -> None:
        with client.pipeline(transaction=False) as pipe:
            for command in commands:
                command(pipe)
            pipe.execute()

    def _failed(self, why: str) -> None:
        if not self._failing:
            log.get("bitloot.redis_publisher").warning(
                "redis_publisher.failing", why=why, then="the sweep sends it again"
            )
        self._failing = True


publisher = RedisPublisher()
