"""The simulation finds a planted bug."""

import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT


def simulate(seed: int | str, orders: int | str, *more: str) -> tuple[int, str]:
    """The command's exit code and what it printed."""
    command = [sys.executable, "-W", "ignore", "-m", "simulation", "--seed", str(seed), "--orders", str(orders), *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)
    return done.returncode, done.stdout + done.stderr


def digest(said: str) -> str:
    found = re.search(r"^Digest +([0-9a-f]{64})$", said, re.MULTILINE)
    assert found, said
    return found[1]


@pytest.mark.parametrize("mutant", ["no-look"])
def test_a_planted_bug_is_found(mutant: str) -> None:
    code, said = simulate(11, 100, "--mutant", mutant)
    assert code == 1, said
    assert "Traceback" not in said, said
    assert "every invariant holds" not in said
    assert digest(said)
