"""A whole shop on this machine: servers, sandbox, object store, web, worker and clock as processes of their own.

Unlike ``bitloot up`` nothing here is started again by itself: who kills something decides when it comes back.
"""

import asyncio
import base64
import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import redis

from dev import embedded
from dev.embedded import free_port
from dev.stack import SANDBOX, read_procfile

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
SHOP = ("web", "worker", "clock")
WITH_WEBHOOKS = (*SHOP, "webhooks")  # where merchants are told
THREADS = 96  # jobs at once: as many calls of one worker may be held as a fault has orders in flight
BUCKET = "vault"
SLOWEST_START = 60.0  # seconds; a machine that does much else at once
AWAY = (
    OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)  # fmt: skip
STARTS = 5  # attempts to start Postgres, each of up to 10 s
PATIENCE = 60.0  # seconds a look into the tables waits for a Postgres that is being restarted


async def until(ask: Callable[[], Awaitable[Any]], why: str, *, seconds: float = 30) -> Any:
    """Ask again and again until the answer is true, and return it. Past the deadline raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not (found := await ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {why}")
        await asyncio.sleep(0.03)
    return found


class NoCookies(CookieJar):
    """A client that keeps no cookies speaks for each order by its token alone."""

    def extract_cookies(self, *_: Any) -> None:
        """Forget them."""


class Environment:
    """Where everything is. ``settings`` are further environment variables of all its processes."""

    def __init__(self, name: str, processes: Sequence[str] = SHOP, **settings: str) -> None:
        self.processes = processes
        self.var = embedded.temporary_folder(name)
        self.port, self.sandbox_port, self._s3_port = free_port(), free_port(), free_port()
        self.url, self.sandbox_url = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.sandbox_port}"
        self.http = httpx.AsyncClient(base_url=self.url, timeout=20, cookies=NoCookies())
        self.sandbox = httpx.AsyncClient(base_url=f"{self.sandbox_url}/sandbox/api", timeout=60)
        self._settings = settings
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._servers: embedded.Embedded | None = None
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        """Start everything, with a loaded catalog whose goods don't run out."""
        self._servers = await asyncio.to_thread(embedded.start, self.var)
        self.variables = self._environment(self._servers)
        await asyncio.gather(self.start("s3"), self.start("sandbox"), self._command("migrate"))
        await asyncio.gather(self._answers(f"{self.sandbox_url}/sandbox/api/faults"), self._bucket())
        await self._stock_up()
        await self._command("seed")
        await asyncio.gather(*(self.start(name) for name in self.processes))
        await self._answers(f"{self.url}/readyz")

    def _environment(self, servers: embedded.Embedded) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("HOME", "TMPDIR", "LANG") if name in os.environ}
        made = {
            "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", "PYTHONUNBUFFERED": "1",
            "BITLOOT_ENV": "development", "BITLOOT_VAR": str(self.var), "HOST": "127.0.0.1", "PORT": str(self.port),
            "SANDBOX_PORT": str(self.sandbox_port), "LOG_LEVEL": "INFO", "WORKER_THREADS": str(THREADS),
            "DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url,
            "JWT_SECRET": secrets.token_urlsafe(48),
            "MASTER_KEYS": f"dev1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
            "R2_ENDPOINT": f"{self.sandbox_url}/store", "R2_BUCKET": BUCKET,
            "R2_ACCESS_KEY_ID": "dev", "R2_SECRET_ACCESS_KEY": secrets.token_hex(16),
            "SANDBOX_STORE_URL": f"http://127.0.0.1:{self._s3_port}", "SANDBOX_MAILS_KEPT": "1000000",
            "LIMIT_ORDERS": "1000000", "LIMIT_PAYMENTS": "1000000", "LIMIT_REVEALS": "1000000",
            "LIMIT_CONNECTIONS": "1000000", "LIMIT_WRITES": "1000000", "LIMIT_MAILBOX": "1000000",
            "LIMIT_API": "1000000", "LIMIT_LOGINS": "1000000", "LIMIT_LOOKUPS": "1000000",
        }  # fmt: skip
        return kept | made | self._settings

    def _shell(self, name: str) -> str:
        if name == "s3":
            return f"moto_server -H 127.0.0.1 -p {self._s3_port}"
        if name == "sandbox":
            return f"{SANDBOX} --port {self.sandbox_port}"
        return read_procfile(ROOT / "Procfile")[name]

    async def start(self, name: str) -> None:
        """Start a process by its name in the Procfile, or ``sandbox`` or ``s3``; it may not be ready yet."""
        folder = self.var / "logs"
        folder.mkdir(exist_ok=True)
        with (folder / f"{name}.log").open("ab") as log:
            command = ["/bin/sh", "-c", f"exec {self._shell(name)}"]
            self._running[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.variables, stdout=log, stderr=log, start_new_session=True
            )

    async def kill(self, name: str) -> None:
        """SIGKILL for a process and all that it started; returns once they are dead."""
        process = self._running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait)

    def runs(self, name: str) -> bool:
        return name in self._running and self._running[name].poll() is None

    @contextlib.asynccontextmanager
    async def suspended(self, name: str) -> AsyncIterator[None]:
        """A process that holds still inside the block, with all that it started."""
        os.killpg(self._running[name].pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._running[name].pid, signal.SIGCONT)

    @property
    def redis(self) -> "redis.Redis":
        """A client of its Redis."""
        return redis.Redis.from_url(self.variables["REDIS_URL"])

    async def kill_redis(self) -> None:
        assert self._servers is not None
        await _kill([psutil.Process(self._servers.redis_pid)])
        Path(self.variables["REDIS_URL"].removeprefix("unix://")).unlink(missing_ok=True)

    async def kill_postgres(self) -> None:
        """Kill the postmaster; its backends see that and end, each in the middle of whatever it does."""
        postmaster = psutil.Process(int((self.var / "postgres" / "postmaster.pid").read_text().split()[0]))
        backends: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):  # a backend that ends while they are counted
            backends = postmaster.children(recursive=True)
        await _kill([postmaster])
        await asyncio.to_thread(psutil.wait_procs, backends, 20)

    async def start_servers(self) -> None:
        """Start Redis, Postgres or both again, whichever is not running."""
        assert self._servers is not None
        for attempt in range(STARTS):
            try:
                await asyncio.to_thread(self._servers.postgres.ensure_postgres_running)
                break
            except subprocess.SubprocessError:  # it recovers for longer than it is given
                if attempt == STARTS - 1:
                    raise
        self._servers = await asyncio.to_thread(embedded.start, self.var)

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """A look into its tables; waits while Postgres is being restarted."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(self.variables["DATABASE_URL"], min_size=0, max_size=4)
                return [dict(row) for row in await self._pool.fetch(sql, *args)]
            except AWAY:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)

    @contextlib.asynccontextmanager
    async def locked(self, *selects: tuple[str, list[str]]) -> AsyncIterator[None]:
        """Rows held by ``SELECT … FOR UPDATE`` inside the block: whoever wants to change them has to wait."""
        connection = await asyncpg.connect(self.variables["DATABASE_URL"])
        try:
            async with connection.transaction():
                for sql, ids in selects:
                    await connection.execute(f"{sql} FOR UPDATE", ids)
                yield
        finally:
            await connection.close()

    async def asks(self, method: str, path: str, **more: Any) -> Any:
        """The sandbox's control API."""
        answer = await self.sandbox.request(method, path, **more)
        answer.raise_for_status()
        return answer.json()

    async def close(self) -> None:
        """End everything and forget it; nothing of it is worth a good end."""
        await self.http.aclose()
        await self.sandbox.aclose()
        if self._pool is not None:
            self._pool.terminate()
        for name in list(self._running):
            await self.kill(name)
        if self._servers is not None:
            with contextlib.suppress(OSError, psutil.Error):  # not running just now
                await self.kill_postgres()
            with contextlib.suppress(OSError, psutil.Error):
                await self.kill_redis()
        shutil.rmtree(self.var, ignore_errors=True)

    async def _command(self, name: str) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", "-m", "app.cli", name, cwd=ROOT, env=self.variables,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"`{name}` failed:\n{said.decode(errors='replace')}")

    async def _answers(self, url: str) -> None:
        async with httpx.AsyncClient(timeout=5) as client:

            async def answered() -> bool:
                with contextlib.suppress(httpx.HTTPError):
                    return (await client.get(url)).status_code == 200
                return False

            await until(answered, f"{url} answers", seconds=SLOWEST_START)

    async def _bucket(self) -> None:
        async with httpx.AsyncClient(timeout=5) as client:

            async def made() -> bool:
                with contextlib.suppress(httpx.HTTPError):
                    return (await client.put(f"http://127.0.0.1:{self._s3_port}/{BUCKET}")).is_success
                return False

            await until(made, "the object store has a bucket", seconds=SLOWEST_START)

    async def _stock_up(self) -> None:
        """Plenty of everything, and a supplier that trusts us to say each thing once; told to nobody yet."""
        await self.asks("POST", "/faults", json={"provider": "kinguin", "mode": "drop_webhooks"})
        for product in await self.asks("GET", "/products"):
            await self.asks("POST", f"/products/{product['productId']}", json={"stock": 1_000_000})
        settings = {"balance": 1_000_000_000, "duplicateMode": "accept", "ipnRetryInterval": 2}
        await self.asks("POST", "/settings", json=settings | {"webhookRetryInterval": 2})
        await self.asks("DELETE", "/faults")


async def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    await asyncio.to_thread(psutil.wait_procs, processes, 10)
