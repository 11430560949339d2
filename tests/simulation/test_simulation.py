"""The simulation: fresh seeds and past offenders break no rule, a seed replays to the letter, planted bugs are found."""

import random
import re
import subprocess
import sys

import pytest

from simulation.mutants import MUTANTS
from tests.conftest import ROOT

OFFENDERS = [
    line.split() for line in (ROOT / "tests/simulation/offenders.txt").read_text().splitlines() if line[:1] not in "#"
]


def simulate(seed: int | str, orders: int | str, *more: str) -> tuple[int, str]:
    """The command's exit code and what it printed."""
    command = [sys.executable, "-W", "ignore", "-m", "simulation", "--seed", str(seed), "--orders", str(orders), *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)
    return done.returncode, done.stdout + done.stderr


def digest(said: str) -> str:
    found = re.search(r"^Digest +([0-9a-f]{64})$", said, re.MULTILINE)
    assert found, said
    return found[1]


def test_a_thousand_orders_of_a_fresh_seed_break_no_rule() -> None:
    seed = random.SystemRandom().randrange(1, 10**9)
    code, said = simulate(seed, 1000)
    assert code == 0, f"replay with: bitloot simulate --seed {seed} --orders 1000\n{said}"
    assert "every invariant holds" in said


@pytest.mark.parametrize(("seed", "orders"), OFFENDERS)
def test_a_past_offender_breaks_no_rule_any_more(seed: str, orders: str) -> None:
    code, said = simulate(seed, orders)
    assert code == 0, said


def test_the_same_seed_is_the_same_history_and_another_is_not() -> None:
    said = [simulate(seed, 60)[1] for seed in (3, 3, 4)]
    first, again, other = (digest(text) for text in said)
    assert first == again
    assert first != other


@pytest.mark.parametrize("mutant", sorted(MUTANTS))
def test_a_planted_bug_is_found(mutant: str) -> None:
    code, said = simulate(11, 200, "--mutant", mutant)
    assert code == 1, said
    assert "Traceback" not in said, said
    assert "every invariant holds" not in said
    assert digest(said)
