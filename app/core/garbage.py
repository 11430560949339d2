"""When Python looks for cycles of garbage: rarely. Each full look stops a process for as long as it holds objects.

Nearly all that we drop is freed at once, by counting references. Cycles are few, so little waits for a look.
"""

import asyncio
import gc
from collections.abc import Callable

YOUNG = 10_000  # more objects made than freed before the youngest are looked through: well under a millisecond
MIDDLE = 50  # such looks before those of the last half million are looked through: some milliseconds
OLD = 10  # of those before all are, where a process holds little: a worker, the clock
NEVER = 1_000_000  # … and where it may hold 10,000 open pages, which would stop everybody for over a second
HOUR = 3600.0  # seconds between looks by ourselves in such a process …
QUIET = 500  # … if it has no more open pages than this: some 50 ms


def settle(*, crowded: bool = False) -> None:
    """Call once, when a long-running process has loaded what it needs: that stands for good, and is left out.

    ``crowded``: it holds many objects that live long, such as open pages; then see ``collect_when_quiet``.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, NEVER if crowded else OLD)


async def collect_when_quiet(pages: Callable[[], int], *, every: float = HOUR) -> None:
    """Look through everything once an hour, unless so many pages are open that they would notice. Until cancelled."""
    while True:
        await asyncio.sleep(every)
        if pages() <= QUIET:
            gc.collect()
