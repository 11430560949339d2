"""``make mutants``: what decides money, keys and access is changed a little, and the tests must notice each change.

mutmut makes the changes and runs the tests that reach them and need no servers (``[tool.mutmut]`` in pyproject.toml).
Here its result is judged: enough mutants are killed, and each one that survives is named in ``docs/mutants.md``.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEAST = 0.95  # share of mutants that must be killed
ALIVE = ("survived", "suspicious")
NOT_RUN = ("no tests", "not checked", "skipped")  # reached by no test that needs no servers
LINE = re.compile(r"^\s*(\S+): (.+)$")  # of ``mutmut results``


def main(patterns: list[str]) -> int:
    """Run the mutants whose names match, or all; 1 where too many live or one is not named in the docs."""
    _mutmut("run", *patterns)
    found = _mutmut("results", "--all", "true", quiet=True)
    states = {match[1]: match[2] for match in map(LINE.match, found.splitlines()) if match}
    return _judged(states)


def _mutmut(*words: str, quiet: bool = False) -> str:
    env = os.environ | {"TEST_PURE": "1", "PYTHONHASHSEED": "0"}
    command = [sys.executable, "-m", "mutmut", *words]
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE if quiet else None, text=True, check=False)  # noqa: S603
    return done.stdout or ""


def _judged(states: dict[str, str]) -> int:
    named = (ROOT / "docs/mutants.md").read_text()
    run = {name: state for name, state in states.items() if state not in NOT_RUN}
    alive = sorted(name for name, state in run.items() if state in ALIVE)
    unnamed = [name for name in alive if name not in named]
    killed = 1 - len(alive) / max(len(run), 1)
    counts = {"run": len(run), "not run": len(states) - len(run), "alive": len(alive), "killed": round(killed, 4)}
    print(json.dumps(counts))
    for name in unnamed:
        print(f"alive, and not in docs/mutants.md: {name}   (mutmut show {name})")
    return int(not run or killed < LEAST or bool(unnamed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
