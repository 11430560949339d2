"""A thread that carries small best-effort writes to Redis, so that no request and no event loop waits for them.

When Redis is away, errands are dropped: each of them only hurries on what a table already says, and the clock's
sweep catches up.
"""

import queue
import threading
from collections.abc import Callable, Iterator

from redis import Redis
from redis.client import Pipeline

from app.core import log
from app.core.redis import sync_client

Errand = Callable[["Pipeline"], object]
"""Adds its commands to a pipeline; must not read from it."""

BACKLOG = 20_000  # errands kept while Redis is slow; beyond it the newest are dropped, the sweep finds them
BATCH = 128  # errands that share a round trip when many are waiting


class Courier:
    """Runs errands in the order given; those that are waiting together share a round trip."""

    def __init__(self) -> None:
        self._errands: queue.SimpleQueue[Errand | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._failing = False

    def send(self, errand: Errand) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
            self._thread.start()
        if self._errands.qsize() < BACKLOG:
            self._errands.put(errand)
        else:
            self._failed("backlog full")

    def close(self, timeout: float = 5.0) -> None:
        """Carry out what is waiting, for at most ``timeout`` seconds, and end the thread."""
        if self._thread is not None:
            self._errands.put(None)
            self._thread.join(timeout)
            self._thread = None

    def _run(self) -> None:
        going = True
        while going:
            batch = list(self._next())
            going = batch[-1] is not None
            try:
                self._carry(sync_client(), [errand for errand in batch if errand is not None])
                self._failing = False
            except Exception as error:
                self._failed(type(error).__name__)

    def _next(self) -> Iterator[Errand | None]:
        """The next errand, waiting for it, and those that stand behind it; None ends."""
        errand = self._errands.get()
        yield errand
        for _ in range(BATCH - 1):
            if errand is None or self._errands.empty():
                return
            errand = self._errands.get()
            yield errand

    @staticmethod
    def _carry(client: "Redis", errands: list[Errand]) -> None:
        with client.pipeline(transaction=False) as pipe:
            for errand in errands:
                errand(pipe)
            pipe.execute()

    def _failed(self, why: str) -> None:
        if not self._failing:
            log.get("bitloot.courier").warning("courier.failing", why=why, then="the sweep sends it again")
        self._failing = True


courier = Courier()
