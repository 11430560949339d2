"""The described API, from outside: schemathesis makes requests of the document and finds nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.merchants import api_keys, service
from tests.conftest import ROOT

SEED = 20261121  # the same requests every time: what another seed finds is mended and stated beside the shapes
SECONDS = 600


@pytest.mark.processes
@pytest.mark.parametrize("examples", [3, pytest.param(15, marks=pytest.mark.proof)])  # of each operation, a phase
async def test_schemathesis_finds_nothing(app, server, tmp_path: Path, examples: int) -> None:
    issued = await api_keys.issue(
        await service.create_merchant("Games"), test=True, name="schemathesis", scopes=api_keys.SCOPES
    )
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(ROOT / "schemathesis.toml"), "run",
        f"{server.url}/api/docs/openapi.json",
        "--include-path-regex", "^/api/v1/", "--max-examples", str(examples), "--seed", str(SEED),
        "--continue-on-failure", "--no-shrink",
        "--suppress-health-check", "all", "--warnings", "off", "-H", f"X-Api-Key: {issued.key}",
        "-H", f"X-Api-Secret: {issued.secret}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-20_000:]
    assert "No issues found" in said, said[-20_000:]
