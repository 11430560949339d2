"""Full collections stop a web process for everybody: they come when nobody notices, and little waits for them."""

import asyncio
import gc
import subprocess
import sys
import weakref
from itertools import chain, repeat

from app.core import garbage
from tests.conftest import ROOT

SETTLED = """
import gc
from app.core import garbage
full = []
gc.callbacks.append(lambda phase, info: phase == "start" and info["generation"] == 2 and full.append(1))
garbage.settle(crowded={crowded})
full.clear()
kept = []
for _ in range({rounds}):
    kept.append([[] for _ in range(100_000)])
print(gc.get_threshold(), gc.get_freeze_count() > 1000, len(full))
"""


def settled(*, crowded: bool, rounds: int) -> str:
    code = SETTLED.format(crowded=crowded, rounds=rounds)
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_a_process_with_open_pages_never_looks_through_all_of_them_by_itself() -> None:
    assert settled(crowded=True, rounds=12) == "(10000, 50, 1000000) True 0\n"


def test_a_worker_which_holds_little_looks_at_all_as_usual() -> None:
    assert settled(crowded=False, rounds=0) == "(10000, 50, 10) True 0\n"


class Knot:
    """Garbage that only a look finds: it holds itself."""

    def __init__(self) -> None:
        self.itself = self


async def test_once_nobody_notices_cycles_are_freed() -> None:
    viewers = chain([garbage.QUIET + 1], repeat(3))
    known, asked = weakref.ref(Knot()), list[int]()
    gc.disable()
    try:

        def pages() -> int:
            asked.append(next(viewers))
            return asked[-1]

        task = asyncio.create_task(garbage.collect_when_quiet(pages, every=0))
        while not asked:
            await asyncio.sleep(0)
        assert known() is not None, "501 pages are open"
        while len(asked) < 2:
            await asyncio.sleep(0)
        assert known() is None
        task.cancel()
    finally:
        gc.enable()
