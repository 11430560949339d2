"""``bitloot up`` beside a shop that runs already: it says so, and leaves that one alone."""

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT, free_port


def up(var: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "app.cli", "up"],
        cwd=ROOT,
        env=os.environ | {"BITLOOT_VAR": str(var)} | env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_second_one_in_the_same_folder_says_who_runs_there_and_starts_nothing(tmp_path: Path) -> None:
    with (tmp_path / "up.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4711")
        lock.flush()
        done = up(tmp_path)
    assert done.returncode == 1
    assert f"running already in {tmp_path} (process 4711). Stop it first" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["up.lock"]


def test_a_port_that_somebody_listens_on_is_named_with_its_setting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = str(other.getsockname()[1])
        for setting, ports in (
            ("PORT", {"PORT": taken, "SANDBOX_PORT": str(free_port())}),
            ("SANDBOX_PORT", {"PORT": str(free_port()), "SANDBOX_PORT": taken}),
        ):
            done = up(tmp_path, **ports)
            assert done.returncode == 1
            assert f"Port {taken} is in use. Stop what uses it, or set {setting}." in done.stderr
            assert "BitLoot is up" not in done.stdout
            assert not (tmp_path / "logs").exists(), "nothing was started"
