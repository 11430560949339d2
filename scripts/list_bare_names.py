"""Adds to each lock file given, beside every ``package[extra]==version``, the same pin without the extra.

A pip before 24 takes ``redis[hiredis]`` and ``redis`` for two packages. Pinned as the one, what another asks for as the
other counts as unpinned once a newer release of it is out. ``make lock`` runs this last.
"""

import re
import sys
from pathlib import Path

PIN = re.compile(r"^([A-Za-z0-9._-]+)\[[^]]+\](==.*(?:\n    --hash=.*)+)$", re.M)


def listed(text: str) -> str:
    """The lock with both spellings of each package that is locked with an extra."""
    return PIN.sub(lambda found: f"{found[0]}\n{found[1]}{found[2]}", text)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(listed(path.read_text()))
