"""The source as the house's tests read it."""

import ast
import functools
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT

SHOP = ("app", "actors", "dev/sandbox", "dev/embedded.py", "dev/stack.py", "dev/up.py")
"""What `bitloot up` runs: the shop and the providers that it plays."""
ALL = ("app", "actors", "dev")


def modules(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Each module of these files and folders, by its path from the root; migrations are generated and left out."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")) or [ROOT / folder]:
            name = path.relative_to(ROOT).as_posix()
            if "migrations" not in name:
                yield name, _parsed(path)


@functools.cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def imported(tree: ast.AST) -> set[str]:
    """The full names of all modules a module imports, wherever in it."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def imported_names(tree: ast.AST) -> set[str]:
    """What a module imports from others, by the names that it uses."""
    froms = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return {alias.asname or alias.name for node in froms for alias in node.names}


def committed() -> list[Path]:
    """Every file of the repository, also those not committed yet."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]
