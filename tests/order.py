"""Which process runs which tests, and in what order.

All that share the environment go to one process, and first: so there is one shop and one
browser, what waits there waits beside the work of the other process, and no long file is left over at the end.
"""

import os

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

LONG = ("tests/faults/test_kill_matrix.py", "tests/simulation/")  # with environments of their own; begun next
SHARING = ("tests/journeys/", "tests/faults/")


def _shares(nodeid: str) -> bool:
    return nodeid.startswith(SHARING) and not nodeid.startswith(LONG)


class Scheduling(LoadFileScheduling):
    """By file, as ``--dist loadfile``, but for the shop's, which stay together."""

    def _split_scope(self, nodeid: str) -> str:
        return "environment" if _shares(nodeid) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Those that share the environment, with the ``last`` ones at their end; then what takes long; then the others."""

    def place(item: pytest.Item) -> int:
        if _shares(item.nodeid):
            return 1 if item.get_closest_marker("last") else 0
        return 2 if item.nodeid.startswith(LONG) else 3

    items.sort(key=place)
    if "TEST_PURE" in os.environ:
        needing = [item for item in items if "sandbox_process" in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]
