"""A whole shop, started the user's way: ``bitloot up`` as a process of its own, with all that it starts.

Journeys and faults share one, the fixture ``town``: their ``conftest`` registers this module as a plugin.
"""

import asyncio
import contextlib
import functools
import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import httpx
import psutil
import pytest

from dev.embedded import temporary_folder
from dev.environment import NoCookies
from tests.conftest import ROOT, Box, free_port

COMMANDS = {  # process → what its command line holds
    "sandbox": "dev.sandbox.main:create_app",
    "web": "app.main:create_app",
    "worker": "dramatiq actors --queues orders",
    "webhooks": "dramatiq actors --queues webhooks",
    "clock": "actors.clock",
}
PLAYED = {"TEST_MODE": "true", "TEST_PROCESSING_DELAY": "2500"}  # merchants' test payments, in milliseconds
GREETING = "Ctrl-C stops everything."
SLOWEST_START = 90.0  # seconds; a machine that does much else at once
SLOWEST_STOP = 40.0


async def until(ask: Callable[[], Any], why: str, *, seconds: float = 20) -> Any:
    """Ask again and again until the answer is true, and return it; past the deadline fail with ``why``."""
    deadline = time.monotonic() + seconds
    while True:
        found = ask()
        found = await found if inspect.isawaitable(found) else found
        if found:
            return found
        assert time.monotonic() < deadline, f"not within {seconds} s: {why}"
        await asyncio.sleep(0.04)


def alive(process: psutil.Process) -> bool:
    """Whether it runs; a dead one that nobody has waited for yet does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


class Town:
    """One copy of the shop on this machine: its folder, its ports, its processes."""

    def __init__(self, name: str) -> None:
        self.var = temporary_folder(name)
        self.port, self.sandbox_port = free_port(), free_port()
        self.url, self.sandbox_url = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.sandbox_port}"
        self.box = Box(self.sandbox_url)
        self.http = httpx.AsyncClient(base_url=self.url, timeout=20, cookies=NoCookies())
        self.up: subprocess.Popen[bytes] | None = None
        self._said = self.var / "up.log"

    def launch(self) -> None:
        """Start it, without waiting. Nothing of this test run's own environment goes along."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
        ports = {"PORT": str(self.port), "SANDBOX_PORT": str(self.sandbox_port)}
        self._said.unlink(missing_ok=True)
        with self._said.open("wb") as said:
            self.up = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "app.cli", "up"],
                cwd=ROOT, env=kept | ports | PLAYED | {"BITLOOT_VAR": str(self.var)}, stdout=said, stderr=said,
                start_new_session=True,
            )  # fmt: skip

    async def greeting(self) -> str:
        """What it prints once it is up."""
        assert self.up is not None
        up = self.up
        await until(lambda: GREETING in self.said or up.poll() is not None, "`up` greets", seconds=SLOWEST_START)
        assert GREETING in self.said, f"`up` ended with {up.poll()}:\n{self.said}"
        return self.said

    @property
    def said(self) -> str:
        return self._said.read_text()

    @property
    def start_seconds(self) -> float:
        """How long its start took, by its own word."""
        found = re.search(r"BitLoot is up \(([\d.]+) s\)", self.said)
        assert found is not None
        return float(found[1])

    @property
    def admin(self) -> tuple[str, str]:
        """The printed login: email and password."""
        found = re.search(r"Admin +\S+/admin +(\S+) +(\S+)", self.said)
        assert found is not None
        return found[1], found[2]

    def process(self, name: str) -> psutil.Process | None:
        """The process that runs as ``web``, ``worker``, ``clock`` or ``sandbox`` just now."""
        with contextlib.suppress(OSError, ValueError):  # being written
            for pid in json.loads((self.var / "run" / "processes.json").read_text()):
                with contextlib.suppress(psutil.Error):
                    found = psutil.Process(int(pid))
                    if COMMANDS[name] in " ".join(found.cmdline()) and alive(found):
                        return found
        return None

    async def running(self, name: str, *, other_than: psutil.Process | None = None) -> psutil.Process:
        """The process, once it is there and, after a death, another one."""

        def ready() -> psutil.Process | None:
            found = self.process(name)
            with contextlib.suppress(psutil.Error):
                if found is not None and found != other_than and (name != "worker" or found.children()):
                    return found
            return None

        return await until(ready, f"a {name} process runs")

    def server(self, name: str) -> psutil.Process:
        """The embedded ``redis`` or ``postgres``."""
        path = self.var / ("redis.pid" if name == "redis" else "postgres/postmaster.pid")
        return psutil.Process(int(path.read_text().split()[0]))

    def everyone(self) -> set[psutil.Process]:
        """Every process of this town."""
        assert self.up is not None
        up = self.up.pid
        seeds: list[Callable[[], psutil.Process | None]] = [lambda: psutil.Process(up)]
        seeds += [functools.partial(self.server, name) for name in ("redis", "postgres")]
        seeds += [functools.partial(self.process, name) for name in COMMANDS]
        found: set[psutil.Process] = set()
        for seed in seeds:
            with contextlib.suppress(OSError, ValueError, psutil.Error):
                process = seed()
                found |= {process, *process.children(recursive=True)} if process else set()
        return found

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """A look into its tables."""
        settings = dict(line.split("=", 1) for line in (self.var / "stack.env").read_text().splitlines())
        connection = await asyncpg.connect(settings["DATABASE_URL"])
        try:
            return [dict(row) for row in await connection.fetch(sql, *args)]
        finally:
            await connection.close()

    async def products(self, count: int, *, where: str = "price BETWEEN 12 AND 45") -> list[dict[str, Any]]:
        """So many products with plenty in stock whose keys are text, in random order."""
        sql = f"SELECT * FROM product WHERE active AND stock >= 9 AND text_keys AND {where} ORDER BY random()"
        found = await self.rows(f"{sql} LIMIT {count}")
        assert len(found) == count
        return found

    async def close(self) -> None:
        """Stop it as a person does, by Ctrl-C: it ends well and leaves no process behind."""
        await self.http.aclose()
        await self.box.http.aclose()
        if self.up is None:
            return
        ours, stopped = self.everyone(), self.up.poll() is None
        try:
            if stopped:
                self.up.send_signal(signal.SIGINT)
                await asyncio.to_thread(self.up.wait, SLOWEST_STOP)
        finally:
            left = [process for process in ours if alive(process)]
            for process in left:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            recorded = (self.var / "run" / "processes.json").exists()
            shutil.rmtree(self.var, ignore_errors=True)
        assert stopped, "`up` had ended before"
        assert self.up.returncode == 0, f"`up` ended with {self.up.returncode}"
        assert not left, f"left behind: {left}"
        assert not recorded, "a record of running processes was left behind"


@pytest.fixture(scope="session")
async def town() -> AsyncIterator[Town]:
    """The shop that journeys and faults share."""
    made = Town("town")
    made.launch()
    try:
        await made.greeting()
        # A provider tries a notice again after minutes; here after two seconds, so that a dead shop costs no more.
        await made.box.settings(ipnRetryInterval=2, webhookRetryInterval=2)
        yield made
    finally:
        await made.close()
