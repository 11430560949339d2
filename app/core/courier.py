"""A thread that carries small best-effort writes to Redis, so that no request and no event loop waits for them.

When Redis is away, errands are dropped: each of them only hurries on what a table already says, and the clock's
sweep catches up.
"""

import queue
import threading
from collections.abc import Callable

from app.core import log

Errand = Callable[[], None]
BACKLOG = 20_000  # errands kept while Redis is slow; beyond it the newest are dropped, the sweep finds them


class Courier:
    """Runs errands in the order given, one at a time."""

    def __init__(self) -> None:
        self._errands: queue.Queue[Errand | None] = queue.Queue(BACKLOG)
        self._thread: threading.Thread | None = None
        self._failing = False

    def send(self, errand: Errand) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="courier", daemon=True)
            self._thread.start()
        try:
            self._errands.put_nowait(errand)
        except queue.Full:
            self._failed("backlog full")

    def close(self, timeout: float = 5.0) -> None:
        """Carry out what is waiting, for at most ``timeout`` seconds, and end the thread."""
        if self._thread is not None:
            self._errands.put(None)
            self._thread.join(timeout)
            self._thread = None

    def _run(self) -> None:
        while (errand := self._errands.get()) is not None:
            try:
                errand()
                self._failing = False
            except Exception as error:
                self._failed(type(error).__name__)

    def _failed(self, why: str) -> None:
        if not self._failing:
            log.get("bitloot.courier").warning("courier.failing", why=why, then="the sweep sends it again")
        self._failing = True


courier = Courier()
