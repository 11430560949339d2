"""Connections are shared out so that all processes together stay within what the database allows."""

import pytest

from app.core import pools
from app.core.pools import CLOCK, WEB, WEBHOOKS, WORKER

ONE_EACH = pools.processes(1, 1)


def taken(found, running) -> int:
    return sum(found[role] * count for role, count in running.items())


def test_with_plenty_each_has_what_it_makes_good_use_of() -> None:
    assert pools.shares(500, ONE_EACH) == {WEB: 16, WORKER: 13, WEBHOOKS: 13, CLOCK: 4}


def test_of_twenty_with_three_kept_by_postgres_four_stay_for_the_release_step_and_a_command() -> None:
    found = pools.shares(17, ONE_EACH)
    assert taken(found, ONE_EACH) == 13
    assert min(found.values()) >= 2


@pytest.mark.parametrize("web", [1, 2, 3, 8])
@pytest.mark.parametrize("worker", [1, 2, 5])
def test_whatever_runs_the_sum_never_exceeds_the_total_and_wastes_little(web: int, worker: int) -> None:
    running = pools.processes(web, worker)
    for total in range(pools.needed(running), pools.wanted(running) + 40):
        found = pools.shares(total, running)
        used = taken(found, running) + 4
        assert used <= total
        assert used >= min(total, pools.wanted(running)) - max(running.values())
        assert all(role.least <= found[role] <= role.most for role in running)


def test_fewer_than_are_needed_give_each_its_least() -> None:
    assert pools.shares(3, ONE_EACH) == {role: role.least for role in ONE_EACH}
    assert pools.needed(ONE_EACH) == 15
