"""Things to be done in a while: deliveries, expiries, retries.

A timer lives in memory only. Whoever sets one also writes down when it is due, and sets it again at start.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

_log = logging.getLogger("sandbox")


class Timers:
    """Timers on the running loop that can all be called off at once."""

    def __init__(self) -> None:
        self._handles: set[asyncio.TimerHandle] = set()

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Call `act` in so many seconds; at the loop's next turn if that is 0 or past."""

        def run() -> None:
            self._handles.discard(handle)
            try:
                act()
            except Exception:
                _log.exception("a timer failed")

        handle = asyncio.get_running_loop().call_later(max(seconds, 0), run)
        self._handles.add(handle)

    def cancel_all(self) -> None:
        """Forget every timer."""
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()
