"""The command as a person types it, in a process of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.conftest import ROOT

Run = Callable[..., Awaitable[subprocess.CompletedProcess[str]]]


@pytest.fixture
def bitloot() -> Run:
    """Runs ``python -m app.cli …``; ``env`` changes settings, None takes one away. No answer is ever a traceback."""

    async def run(*words: str, env: dict[str, str | None] | None = None, **more: Any) -> Any:
        mine = {k: v for k, v in (os.environ | (env or {})).items() if v is not None}
        command = [sys.executable, "-m", "app.cli", *words]
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=mine, capture_output=True, text=True, timeout=60, **more
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stderr
        return done

    return run
