"""The Procfile's processes, as a host runs them, on a database of one's choice."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from dev.environment import NoCookies, until
from dev.stack import read_procfile
from tests.conftest import ROOT, VAR, Box, free_port

PROCESSES = ("web", "worker", "webhooks", "clock")


class Deployment:
    """A shop on ``database_url``; ``admin_url`` is a way for the test's own looks into its tables."""

    def __init__(self, database_url: str, admin_url: str, box: Box | None = None, **env: str) -> None:
        self.box, self.admin_url = box, admin_url
        port = str(free_port())
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.AsyncClient(
            base_url=self.url, timeout=20, cookies=NoCookies(), headers={"accept": "application/json"}
        )
        self.folder = VAR / f"deployment-{port}"
        self.folder.mkdir()
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own_redis = f"{os.environ['REDIS_URL']}?db=3"
        self.env = os.environ | {
            "PORT": port, "HOST": "127.0.0.1", "PATH": path, "LOG_LEVEL": "INFO", "DATABASE_URL": database_url,
            "REDIS_URL": own_redis, "BITLOOT_VAR": str(self.folder), "WORKER_THREADS": "8", "WEBHOOK_THREADS": "8",
        } | env  # fmt: skip
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A ``bitloot`` command."""
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "app.cli", *words],
            check=False, cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=120,
        )  # fmt: skip

    async def prepare(self) -> None:
        """Tables and a catalog, by the commands that a host runs."""
        for word in ("migrate", "seed"):
            done = await asyncio.to_thread(self.command, word)
            assert done.returncode == 0, done.stdout + done.stderr

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()

    def start(self, *names: str) -> None:
        for name in names or PROCESSES:
            with (self.folder / f"{name}.log").open("ab") as log:
                command = f"exec {read_procfile(ROOT / 'Procfile')[name]}"
                self.running[name] = subprocess.Popen(
                    command, shell=True, cwd=ROOT, stdout=log, stderr=log, env=self.env, start_new_session=True
                )

    async def answers(self) -> None:
        async def ready() -> bool:
            assert self.running["web"].poll() is None, self.log("web")
            with contextlib.suppress(httpx.HTTPError):
                return (await self.http.get("/readyz")).status_code == 200
            return False

        await until(ready, "the web process is ready", seconds=60)

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        connection = await asyncpg.connect(self.admin_url)
        try:
            return [dict(row) for row in await connection.fetch(sql, *args)]
        finally:
            await connection.close()

    async def products(self, count: int, *, where: str = "price BETWEEN 12 AND 45") -> list[dict[str, Any]]:
        sql = f"SELECT * FROM product WHERE active AND stock >= 9 AND text_keys AND {where} ORDER BY random()"
        return await self.rows(f"{sql} LIMIT {count}")

    async def close(self) -> None:
        await self.http.aclose()
        for process in self.running.values():
            process.terminate()  # a master stops its own workers
        for process in self.running.values():
            try:
                await asyncio.to_thread(process.wait, 25)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
