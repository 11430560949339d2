"""The image and the compose file: every process of the Procfile, nothing that floats, nothing published by accident."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.stack import read_procfile
from tests.conftest import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_each_process_of_the_procfile_is_a_service() -> None:
    commands = {name: service.get("command", [""]) for name, service in SERVICES.items()}
    ours = {name: command for name, command in commands.items() if command[0] == "process"}
    assert ours == {name: ["process", name] for name in read_procfile(ROOT / "Procfile")}
    assert {"postgres", "redis", "sandbox"} <= SERVICES.keys()
    assert SERVICES["sandbox"]["profiles"] == ["sandbox"]


def test_whoever_waits_for_another_waits_until_it_is_healthy_or_done() -> None:
    for name, service in SERVICES.items():
        for other, waits in service.get("depends_on", {}).items():
            once = SERVICES[other].get("restart") == "no"
            wanted = "service_completed_successfully" if once else "service_healthy"
            assert waits == {"condition": wanted}, (name, other)
            if not once:
                assert SERVICES[other]["healthcheck"]["test"], (name, other)


def test_nothing_floats_and_only_the_shops_port_may_be_opened() -> None:
    images = [s["image"] for s in SERVICES.values()] + re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    assert [image for image in images if image != "bitloot" and not re.search(r":\d", image)] == []
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {
        "web": ["${LISTEN:-127.0.0.1}:${PORT:-8000}:8000"],
        "sandbox": ["127.0.0.1:${SANDBOX_PORT:-8010}:8010"],
    }


def test_every_variable_of_the_compose_file_is_a_setting_that_is_explained() -> None:
    used = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text()))
    example = (ROOT / ".env.example").read_text()
    assert {name for name in used if f"\n{name}=" not in example} == {"POSTGRES_PASSWORD", "LISTEN"}


def test_the_image_runs_as_nobody_in_particular_and_copies_what_is_there() -> None:
    assert re.findall(r"^USER (\S+)", DOCKERFILE, re.M) == ["bitloot"]
    assert "HEALTHCHECK" in DOCKERFILE
    copied = [word for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M) for word in line.split()[:-1]]
    allowed = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for name in copied:
        assert (ROOT / name).exists(), name
        assert name in allowed, name
    sources = "".join(path.read_text() for path in (ROOT / "app").rglob("*.py"))
    for name in re.findall(r'shipped\("([^"]+)"\)', sources):
        assert any(name == one or name.startswith(f"{one}/") for one in copied), name
    for top in ("app", "actors", "templates", "static", "piccolo_conf.py", "Procfile"):
        assert top in copied


def test_a_process_is_started_by_its_line_of_the_procfile(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: echo ${HOST:-nobody} ${PORT:-none} here\n")
    env = {"PATH": os.environ["PATH"], "PROCFILE": str(tmp_path / "Procfile"), "PORT": "8123"}
    command = [str(ROOT / "scripts" / "process")]
    done = subprocess.run([*command, "web"], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "nobody 8123 here\n")
    unknown = subprocess.run([*command, "webb"], env=env, capture_output=True, text=True, check=False)
    assert (unknown.returncode, unknown.stderr) == (2, "The Procfile has no process named webb.\n")


async def test_the_health_check_tells_a_shop_that_answers_from_none(sandbox_process: str) -> None:
    def healthy(port: str, path: str) -> int:
        command = [sys.executable, str(ROOT / "scripts" / "healthy"), path]
        return subprocess.run(command, env={"PORT": port}, capture_output=True, check=False).returncode

    port = os.environ["SANDBOX_PORT"]
    assert healthy(port, "/sandbox/api/faults") == 0
    assert healthy(port, "/nowhere") == 1
    assert healthy("1", "/sandbox/api/faults") == 1


@pytest.mark.skipif(shutil.which("docker") is None, reason="no docker on this machine")
def test_docker_reads_the_compose_file(tmp_path: Path) -> None:
    if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker without compose")
    (tmp_path / ".env").write_text("BITLOOT_ENV=development\nPOSTGRES_PASSWORD=x\n")
    shutil.copy(ROOT / "compose.yaml", tmp_path)
    command = ["docker", "compose", "--profile", "sandbox", "config", "--quiet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
