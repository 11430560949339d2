"""The README promises by naming tests: each of them exists."""

import re

from tests.conftest import ROOT

ANSWERS = (ROOT / "README.md").read_text().partition("## What happens when…")[2].partition("\n## ")[0]
PROMISED = re.findall(r"`(test_\w+)`", ANSWERS)
THERE = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)
}


def test_every_answer_of_the_readme_is_a_test() -> None:
    assert len(PROMISED) > 20
    assert [name for name in PROMISED if name not in THERE] == []
