"""A database of its own, which the command line works on."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from app.core import db
from tests.conftest import ROOT


class Scratch:
    """A database of its own, which the command line works on."""

    def __init__(self, url: str) -> None:
        self.url = url

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        env = os.environ | {"DATABASE_URL": self.url, "PICCOLO_CONF": "piccolo_conf"}
        return subprocess.run(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=env,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    async def runs(self, *command: str) -> str:
        done = await asyncio.to_thread(self._run, *command)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.url)
        try:
            return list(await connection.fetch(sql, *args))
        finally:
            await connection.close()


@pytest.fixture
async def scratch(app: Any) -> AsyncIterator[Scratch]:
    name = f"scratch_{uuid4().hex[:12]}"
    await db.fetch(f"CREATE DATABASE {name}")
    address, _, rest = os.environ["DATABASE_URL"].partition("?")
    yield Scratch(f"{address.rpartition('/')[0]}/{name}" + (f"?{rest}" if rest else ""))
    await db.fetch(f"DROP DATABASE {name} WITH (FORCE)")
