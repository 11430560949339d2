"""A whole shop, started the user's way: ``bitloot up`` as a process of its own, with all that it starts."""

import asyncio
import contextlib
import functools
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable

import psutil

from dev.environment import ROOT, Shop, alive, inherited, until

COMMANDS = {  # process → what its command line holds
    "sandbox": "dev.sandbox.main:create_app",
    "web": "app.main:create_app",
    "worker": "dramatiq actors --queues orders",
    "webhooks": "dramatiq actors --queues webhooks",
    "clock": "actors.clock",
}
TEST_PROVIDER = {"TEST_MODE": "true", "TEST_PROCESSING_DELAY": "2500"}  # merchants' test payments, in milliseconds
GREETING = "Ctrl-C stops everything."
SLOWEST_START = 90.0  # seconds; a machine that does much else at once
SLOWEST_STOP = 40.0


class UpEnvironment(Shop):
    """One copy of the shop on this machine, with all that ``bitloot up`` starts."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.up: subprocess.Popen[bytes] | None = None
        self._said = self.var / "up.log"

    def launch(self) -> None:
        """Start it, without waiting. Nothing of this test run's own environment goes along."""
        mine = {"BITLOOT_VAR": str(self.var), "PORT": str(self.port), "SANDBOX_PORT": str(self.sandbox_port)}
        self._said.unlink(missing_ok=True)
        with self._said.open("wb") as said:
            self.up = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "app.cli", "up"],
                cwd=ROOT, env=inherited() | TEST_PROVIDER | mine, stdout=said, stderr=said, start_new_session=True,
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
        """Every process of this copy."""
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

    @property
    def database_url(self) -> str:
        return self.settings["DATABASE_URL"]

    @property
    def settings(self) -> dict[str, str]:
        """What its processes were given, made up on its first start."""
        return dict(line.split("=", 1) for line in (self.var / "stack.env").read_text().splitlines())

    async def close(self) -> None:
        """Stop it as a person does, by Ctrl-C: it ends well and leaves no process behind."""
        await self.hang_up()
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
