"""A fresh seed and past offenders break no rule, a seed is played again to the letter, planted bugs are found."""

import random
import subprocess
import sys

import pytest

from simulation import report, stage
from simulation.report import Outcome
from simulation.stage import Play
from tests.conftest import ROOT

OFFENDERS = [
    (int(seed), int(orders))
    for seed, orders, *_ in (
        line.split() for line in (ROOT / "tests/simulation/offenders.txt").read_text().splitlines() if line[:1] != "#"
    )
]
FOUND_WITHIN = {  # mutant → orders, each a few times what it needs on average
    "early-message": 250, "no-lease": 150, "no-look": 250, "no-rank": 60, "open-reveal": 200,
}  # fmt: skip
SEED = 11  # of the mutants
FRESH = Play(random.SystemRandom().randrange(2**31), 1000)
AGAIN = [Play(3, 60), Play(3, 60), Play(4, 60)]
SANE = [Play(SEED, orders) for orders in sorted(set(FOUND_WITHIN.values()))[:1]]
MUTANTS = {name: Play(SEED, orders, name) for name, orders in FOUND_WITHIN.items()}


@pytest.fixture(scope="module")
async def played() -> dict[Play, list[Outcome]]:
    """Everything this file asks of the simulation, played at once: one server, a process a core."""
    plays = [FRESH, *MUTANTS.values(), *(Play(*offender) for offender in OFFENDERS), *AGAIN, *SANE]
    found: dict[Play, list[Outcome]] = {}
    for play, outcome in zip(plays, await stage.play(plays, 2), strict=True):
        found.setdefault(play, []).append(outcome)
    return found


def holds(play: Play, outcome: Outcome) -> bool:
    print(report.text(play.seed, [outcome], 0.0))  # the seed, where it does not
    return not outcome.violations


def test_a_thousand_orders_of_a_fresh_seed_break_no_rule(played: dict[Play, list[Outcome]]) -> None:
    (outcome,) = played[FRESH]
    assert holds(FRESH, outcome)
    assert outcome.orders["fulfilled"] > 600
    assert len(outcome.faults) > 30


@pytest.mark.parametrize(("seed", "orders"), OFFENDERS)
def test_a_past_offender_breaks_no_rule_any_more(seed: int, orders: int, played: dict[Play, list[Outcome]]) -> None:
    assert holds(Play(seed, orders), played[Play(seed, orders)][0])


def test_the_same_seed_is_the_same_history_to_the_letter_and_another_is_not(played: dict[Play, list[Outcome]]) -> None:
    first, again = played[AGAIN[0]]
    (other,) = played[AGAIN[2]]
    assert first == again
    assert first.digest != other.digest


@pytest.mark.parametrize("mutant", stage.MUTANTS)
def test_a_planted_bug_is_found(mutant: str, played: dict[Play, list[Outcome]]) -> None:
    (outcome,) = played[MUTANTS[mutant]]
    assert outcome.violations
    assert f"--seed {SEED} --orders {FOUND_WITHIN[mutant]} --mutant {mutant}" in report.text(SEED, [outcome], 0.0)


def test_without_a_planted_bug_the_same_seed_breaks_no_rule(played: dict[Play, list[Outcome]]) -> None:
    for play in SANE:
        assert holds(play, played[play][0])


def test_many_orders_are_worlds_of_which_each_is_played_again_by_its_own_seed() -> None:
    plays = stage.worlds(7, 2300)
    assert [play.orders for play in plays] == [1000, 1000, 300]
    assert len({play.seed for play in plays}) == 3
    assert [stage.worlds(play.seed, play.orders) for play in plays] == [[play] for play in plays]


def simulated(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "ignore", "-m", "app.cli", "simulate", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_prints_what_happened_and_the_verdict_and_fails_where_a_rule_is_broken() -> None:
    well, ill = (
        simulated("--seed", "5", "--orders", "20"),
        simulated("--seed", "11", "--orders", "60", "--mutant", "no-rank"),
    )
    assert well.returncode == 0, well.stdout + well.stderr
    for part in ("seed 5: 20 orders", "What went wrong", "Where their orders ended", "Digest", "every invariant holds"):
        assert part in well.stdout
    assert ill.returncode == 1, ill.stdout + ill.stderr
    assert "not so: Nothing was moved back." in ill.stdout
