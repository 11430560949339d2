"""The wheel, installed in a venv of its own: every command works from any folder, far from the checkout."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from app.cli.main import ROOMS
from tests.conftest import ROOT

pytestmark = pytest.mark.proof

COMMANDS = (
    "migrate", "seed", "doctor", "jobs list", "webhooks list", "vault status", "audit verify", "catalog sync",
    "backup shop.backup", "drill --fresh", "simulate --seed 3 --orders 3",
)  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), "."]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("bitloot-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A venv with the wheel in it. The packages it needs are lent by this one, the checkout is not."""
    venv = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, capture_output=True)
    python = venv / "bin" / "python"
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib"))
    command = [str(python), "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True, capture_output=True)
    return venv / "bin"


def run(installed: Path, words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PICCOLO_CONF"}}
    path = f"{installed}{os.pathsep}{env['PATH']}"
    return subprocess.run(
        [str(installed / "bitloot"), *words.split()], cwd=folder, env=env | {"PATH": path},
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip


def test_the_wheel_carries_all_that_the_shop_reads_and_nothing_of_its_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for name in (
        "piccolo_conf.py", "app/templates/layouts/page.html", "app/static/js/app.js", "app/Procfile", "actors/job.py",
        "app/docs/site.json", "app/migrations/__init__.py", "dev/simulation/scenario.py",
    ):  # fmt: skip
        assert name in names, name
    assert not [
        name for name in names if name.startswith(("tests/", "dev/bench/", "dev/chaos/", "docs/", "templates/"))
    ]


def test_it_runs_from_the_wheel_and_not_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    command = [str(installed / "python"), "-c", "import app, piccolo_conf; print(app.__file__, piccolo_conf.__file__)"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert all(Path(word).is_relative_to(installed.parent) for word in done.stdout.split())


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_every_command_explains_itself_from_another_folder(installed: Path, tmp_path: Path, name: str) -> None:
    done = run(installed, f"{name} --help", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: bitloot {name}" in done.stdout


async def test_every_command_does_its_work_from_another_folder(app, installed: Path, tmp_path: Path) -> None:
    for words in COMMANDS:
        done = run(installed, words, tmp_path)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr, words
