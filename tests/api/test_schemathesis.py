"""The described API, from outside: schemathesis makes requests of the document and finds nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.merchants import api_keys, service
from tests.conftest import ROOT

EXAMPLES = 15  # of each operation in each phase
SEED = 20261121  # the same requests every time: what another seed finds is mended and stated beside the shapes
SECONDS = 600


@pytest.mark.processes
async def test_schemathesis_finds_nothing(app, server, tmp_path: Path) -> None:
    issued = await api_keys.issue(
        await service.create_merchant("Games"), test=True, name="schemathesis", scopes=api_keys.SCOPES
    )
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(ROOT / "schemathesis.toml"), "run",
        f"{server.url}/api/docs/openapi.json",
        "--include-path-regex", "^/api/v1/", "--max-examples", str(EXAMPLES), "--seed", str(SEED),
        "--continue-on-failure", "--no-shrink",
        "--suppress-health-check", "all", "--warnings", "off", "-H", f"X-Api-Key: {issued.key}",
        "-H", f"X-Api-Secret: {issued.secret}",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-20_000:]
    assert "No issues found" in said, said[-20_000:]
