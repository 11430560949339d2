"""Runs the Procfile's processes on one machine, as a host would: starts them, restarts what dies, stops all on SIGTERM.

Only ``bitloot up`` uses it. What each process says goes to ``$BITLOOT_VAR/logs``.
"""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

DRAIN = 24.0  # seconds that processes have to finish what they are doing; a Heroku-like host allows 25 to 30
RESTART = 0.5  # seconds before what died is started again, doubled each time it dies young
LONGEST_RESTART = 15.0
YOUNG = 20.0  # seconds
DEATH = 10.0  # seconds that a process which was killed may take to be gone
DEAD_LOOK = 0.02  # seconds between looks whether it is
# The sandbox, beside the Procfile's processes. Whoever calls hangs up first, else a call may meet the hanging up.
SANDBOX = "uvicorn dev.sandbox.main:create_app --factory --host 127.0.0.1 --no-access-log --timeout-keep-alive 100"
MARK = "BITLOOT_STACK"  # in each process's environment: which stack, by its folder, it belongs to


def read_procfile(path: Path) -> dict[str, str]:
    """``{name: command}`` of each ``name: command`` line."""
    lines = (line.partition(":") for line in path.read_text().splitlines() if ":" in line)
    return {name.strip(): command.strip() for name, _, command in lines}


def _alive(process: psutil.Process) -> bool:
    """Whether it may still hold a port. One that is dead and that nobody has waited for holds none."""
    with contextlib.suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


@dataclass
class Stack:
    """A set of named shell commands that are kept running together.

    ``run/processes.json`` under ``var`` tells their pids, for whoever wants to signal one.
    """

    var: Path
    env: Mapping[str, str]
    _running: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    _keepers: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def _record(self) -> Path:
        return self.var / "run" / "processes.json"

    def end_leftovers(self) -> None:
        """End what an earlier run of this stack, killed before it could clean up, has left behind. Once it returns,
        their ports are free."""
        ended = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == str(self.var):
                    process.kill()
                    ended.append(process)
        deadline = time.monotonic() + DEATH
        while any(_alive(process) for process in ended) and time.monotonic() < deadline:
            time.sleep(DEAD_LOOK)

    def keep(self, name: str, command: str) -> None:
        """Start a command and start it again whenever it ends."""
        self._keepers.append(asyncio.create_task(self._keep(name, command), name=name))

    async def _keep(self, name: str, command: str) -> None:
        wait = RESTART
        while True:
            began = asyncio.get_running_loop().time()
            process = await self._start(name, command)
            code = await process.wait()
            _signal(process, signal.SIGKILL)  # what it started: Dramatiq's workers outlive a master that is killed
            if asyncio.get_running_loop().time() - began > YOUNG:
                wait = RESTART
            print(f"  {name} stopped ({code}); starting it again. Its log: {self._log(name)}", flush=True)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_RESTART)

    def _log(self, name: str) -> Path:
        return self.var / "logs" / f"{name}.log"

    async def _start(self, name: str, command: str) -> asyncio.subprocess.Process:
        self._log(name).parent.mkdir(parents=True, exist_ok=True)
        with self._log(name).open("ab") as log:
            process = await asyncio.create_subprocess_shell(
                f"exec {command}", stdout=log, stderr=log, env={**self.env, MARK: str(self.var)}, start_new_session=True
            )
        self._running[name] = process
        self._write_record()
        return process

    def _write_record(self) -> None:
        self._record.parent.mkdir(parents=True, exist_ok=True)
        born = {}
        for process in self._running.values():
            with contextlib.suppress(psutil.Error):
                born[str(process.pid)] = psutil.Process(process.pid).create_time()
        self._record.write_text(json.dumps(born))

    async def stop(self) -> None:
        """Ask all to finish, wait, then end what is left."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for process in self._running.values():
            _signal(process, signal.SIGTERM)
        waiting = [asyncio.create_task(p.wait()) for p in self._running.values()]
        if waiting:
            await asyncio.wait(waiting, timeout=DRAIN)
        for process in self._running.values():
            _signal(process, signal.SIGKILL)
        self._record.unlink(missing_ok=True)


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """To the command, and when it is to die to all its children: Dramatiq stops its own workers in good order."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if number is signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
