"""The repository: tables as migrated, vendored files as noted, and no trace of the machine it was written on."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT
from tests.house.source import committed

# Put together here, so that this file does not name them either.
ELSEWHERE = [
    "py" + "pi.org", "python" + "hosted.org", "registry.npm" + "js.org", "un" + "pkg.com", "js" + "delivr.net",
    "deb." + "debian.org", "archive." + "ubuntu.com", "proxy." + "golang.org", "index" + "-url", "/work" + "/main",
    "/work" + "/shared", "/root" + "/.", "/home" + "/",
]  # fmt: skip
SHOWN = {".png", ".woff2", ".ico", ".jpg", ".webp"}  # not text


def draft(tree: Path) -> list[str]:
    """The migrations Piccolo would write for the tables below ``tree``."""
    folder = tree / "app" / "migrations"
    before = set(folder.glob("*.py"))
    command = [sys.executable, "-m", "piccolo.main", "migrations", "new", "bitloot", "--auto"]
    env = os.environ | {"PICCOLO_CONF": "piccolo_conf", "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "No changes detected" in done.stdout, done.stdout + done.stderr
    return sorted(path.read_text() for path in set(folder.glob("*.py")) - before)


def copy(to: Path) -> Path:
    shutil.copytree(ROOT / "app", to / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "piccolo_conf.py", to)
    return to


def test_the_tables_are_what_the_migrations_make(tmp_path: Path) -> None:
    assert draft(copy(tmp_path)) == []


def test_a_changed_table_would_be_noticed(tmp_path: Path) -> None:
    tables = copy(tmp_path) / "app" / "mail" / "tables.py"
    tables.write_text(tables.read_text() + "    colour = Text(default='')\n")
    (written,) = draft(tmp_path)
    assert "colour" in written


def test_vendored_files_are_the_ones_noted() -> None:
    folder = ROOT / "static" / "vendor"
    noted = dict(re.findall(r"^\| `([^`]+)` .*\| `([0-9a-f]{64})` \|$", (folder / "VENDORED.md").read_text(), re.M))
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in noted} == noted
    beside = {path.name for path in folder.iterdir() if path.suffix in {".js", ".css", ".woff2"}}
    fonts = {f"../fonts/{path.name}" for path in (ROOT / "static" / "fonts").glob("*.woff2")}
    assert beside | fonts == set(noted)


def test_no_text_names_a_package_index_or_a_path_of_the_machine_it_was_written_on() -> None:
    named = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in committed()
        if path.suffix not in SHOWN
        for word in ELSEWHERE
        if word.encode() in path.read_bytes()
    ]
    assert named == []


def test_every_package_is_pinned_with_its_hashes() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "requirements-docs.txt"):
        text = (ROOT / name).read_text().replace("\\\n", " ")
        packages = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
        assert len(packages) > 20
        assert all("==" in line and "--hash=sha256:" in line for line in packages), name
