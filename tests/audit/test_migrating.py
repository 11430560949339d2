"""The old log of reveals becomes the beginning of the chain, line for line; a new shop begins with none."""

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

BEFORE = "2026-11-21T05:31:00:000000"  # the last migration that knew the old log


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


async def test_a_new_shop_begins_with_an_empty_chain(scratch: Scratch) -> None:
    await scratch.runs("app.cli", "migrate")
    assert "0 lines, all unchanged" in await scratch.runs("app.cli", "audit", "verify")
    assert await scratch.fetch("SELECT to_regclass('key_audit') AS old") == [(None,)]


async def test_a_shop_with_a_log_keeps_every_line_of_it_in_order_and_the_chain_verifies(scratch: Scratch) -> None:
    await scratch.runs("piccolo.main", "migrations", "forwards", "bitloot", BEFORE)
    await scratch.fetch(
        """INSERT INTO key_audit (at, action, order_id, key_id, actor, ip, user_agent)
           SELECT now() - make_interval(secs => 5000 - n),
             CASE WHEN n % 3 = 0 THEN 'key.link_issued' ELSE 'key.revealed' END,
             gen_random_uuid(), CASE WHEN n % 5 = 0 THEN NULL ELSE gen_random_uuid() END, 'actor ' || n, '192.0.2.1',
             repeat('ключ ', n % 80) FROM generate_series(1, 2300) AS n"""
    )
    old = await scratch.fetch("SELECT at, action, order_id, key_id, actor, ip, user_agent FROM key_audit ORDER BY id")
    await scratch.runs("app.cli", "migrate")
    new = await scratch.fetch("SELECT at, action, order_id, key_id, actor, ip, user_agent FROM audit_line ORDER BY seq")
    assert new == old
    assert "2300 lines, all unchanged" in await scratch.runs("app.cli", "audit", "verify")
    assert await scratch.fetch("SELECT to_regclass('key_audit') AS old") == [(None,)]
    await scratch.runs("app.cli", "migrate")
    assert (await scratch.fetch("SELECT count(*) FROM audit_line")) == [(2300,)]
