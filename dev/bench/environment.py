"""A shop of the benchmark's own: servers, sandbox, web and worker as processes, in a temporary folder."""

import asyncio
import base64
import contextlib
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
import psutil
from redis import Redis

from dev import embedded
from dev.embedded import free_port
from dev.stack import SANDBOX

ROOT = Path(__file__).parents[1]


@dataclass
class Environment:
    """Where everything is; processes are started and stopped by name."""

    var: Path
    variables: dict[str, str]
    port: int
    sandbox_port: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def shop(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    async def start(self, name: str, *command: str, ready: str = "") -> None:
        log = (self.var / f"{name}.log").open("ab")
        self.running[name] = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=self.variables,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        if ready:
            await answers(ready)

    def stop(self, name: str) -> None:
        process = self.running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
            try:
                process.wait(25)
            except subprocess.TimeoutExpired:
                process.kill()

    def memory(self, name: str) -> float:
        """Resident memory in MB."""
        return float(psutil.Process(self.running[name].pid).memory_info().rss) / 1e6

    async def forget_jobs(self) -> None:
        """Drop what an earlier measurement left to be done, rows and messages."""
        db = await asyncpg.connect(self.variables["DATABASE_URL"])
        await db.execute("UPDATE job SET status = 'completed' WHERE status = 'pending'")
        await db.execute("UPDATE payment SET provider_payment_id = NULL, next_check_at = NULL")
        await db.close()
        with Redis.from_url(self.variables["REDIS_URL"]) as redis:
            redis.flushall()

    async def start_web(self) -> None:
        await self.start(
            "web", "uvicorn", "app.main:create_app", "--factory", "--http", "app.web.kernel.http_protocol:BoundedHttp",
            "--host", "127.0.0.1", "--port", str(self.port), "--no-access-log", ready=f"{self.shop}/readyz",
        )  # fmt: skip

    async def start_worker(self, threads: int = 16) -> None:
        await self.start(
            "worker", "dramatiq", "actors", "--queues", "orders", "mail", "--processes", "1", "--threads",
            str(threads),
        )  # fmt: skip

    async def start_webhooks(self, threads: int = 64) -> None:
        await self.start(
            "webhooks", "dramatiq", "actors", "--queues", "webhooks", "--processes", "1", "--threads", str(threads)
        )


async def answers(url: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    async with httpx.AsyncClient(timeout=2) as client:
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).status_code == 200:
                    return
            await asyncio.sleep(0.05)
    raise RuntimeError(f"{url} does not answer")


@contextlib.asynccontextmanager
async def opened() -> AsyncIterator[Environment]:
    """Servers, sandbox and a loaded catalog; web and worker are started by each measurement as it needs them."""
    var = Path(tempfile.mkdtemp(prefix="bitloot-bench-"))
    servers = embedded.start(var)
    port, sandbox_port = free_port(), free_port()
    settings = {
        "BITLOOT_ENV": "development", "BITLOOT_VAR": str(var),
        "DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url,
        "JWT_SECRET": secrets.token_urlsafe(48), "PORT": str(port), "SANDBOX_PORT": str(sandbox_port),
        "MASTER_KEYS": f"bench:{base64.b64encode(secrets.token_bytes(32)).decode()}", "LOG_LEVEL": "WARNING",
        "LIMIT_ORDERS": "1000000", "LIMIT_PAYMENTS": "1000000", "LIMIT_REVEALS": "1000000",
        "LIMIT_API": "100000000", "LIMIT_CONNECTIONS": "1000000", "LIMIT_WRITES": "1000000",
        "LIMIT_MAILBOX": "100000000",
    }  # fmt: skip
    os.environ |= settings
    made = Environment(var, dict(os.environ), port, sandbox_port)
    try:
        subprocess.run([sys.executable, "-m", "app.cli", "migrate"], check=True, cwd=ROOT, capture_output=True)
        await made.start(
            "sandbox", *SANDBOX.split(), "--port", str(sandbox_port), ready=f"{made.sandbox}/sandbox/api/faults",
        )  # fmt: skip
        subprocess.run([sys.executable, "-m", "app.cli", "seed"], check=True, cwd=ROOT, capture_output=True)
        yield made
    finally:
        for name in list(made.running):
            made.stop(name)
        servers.stop()
        shutil.rmtree(var, ignore_errors=True)
