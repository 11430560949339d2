"""The one environment of tests, chaos, measurements and simulation: servers, ports, the sandbox's control, processes.

``Environment`` runs each process by itself: nothing is started again unless somebody says so, so a fault can be shown.
``dev.up_environment`` is a shop that ``bitloot up`` keeps running, as a person has it.
"""

import asyncio
import base64
import contextlib
import inspect
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psutil
import redis

from dev import embedded
from dev.box import Box
from dev.embedded import free_port
from dev.stack import SANDBOX, read_procfile

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
SHOP = ("web", "worker", "clock")
WITH_WEBHOOKS = (*SHOP, "webhooks")  # where merchants are told
THREADS = 96  # jobs at once: as many calls of one worker may be held as a fault has orders in flight
BUCKET = "vault"
SLOWEST_START = 60.0  # seconds; a machine that does much else at once
SLOWEST_STOP = 25.0  # seconds a process has to end well
AWAY = (
    OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)  # fmt: skip
STARTS = 5  # attempts to start Postgres, each of up to 10 s
PATIENCE = 60.0  # seconds a look into the tables waits for a Postgres that is being restarted
UNLIMITED = (
    "ORDERS", "PAYMENTS", "REVEALS", "CONNECTIONS", "WRITES", "MAILBOX", "API", "LOGINS", "LOOKUPS",
)  # fmt: skip


async def until(ask: Callable[[], Any], why: str, *, seconds: float = 30) -> Any:
    """Ask again and again until the answer is true, and return it. Past the deadline raises TimeoutError with ``why``.

    ``ask`` may be a coroutine function or a plain one.
    """
    deadline = time.monotonic() + seconds
    while True:
        found = ask()
        found = await found if inspect.isawaitable(found) else found
        if found:
            return found
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {why}")
        await asyncio.sleep(0.03)


async def answers(url: str, *, seconds: float = SLOWEST_START) -> None:
    """Wait until ``url`` answers 200. Raises TimeoutError."""
    async with httpx.AsyncClient(timeout=5) as client:

        async def answered() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return (await client.get(url)).status_code == 200
            return False

        await until(answered, f"{url} answers", seconds=seconds)


def alive(process: psutil.Process) -> bool:
    """Whether it runs; a dead one that nobody has waited for yet does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def inherited() -> dict[str, str]:
    """Of this process's own environment variables those that say where programs and folders are."""
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR", "LANG") if name in os.environ}
    return kept | {"PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"}


class NoCookies(CookieJar):
    """A client that keeps no cookies speaks for each order by its token alone."""

    def extract_cookies(self, *_: Any) -> None:
        """Forget them."""


class Shop:
    """A shop on this machine: its folder, its ports, clients of it and of its sandbox."""

    def __init__(self, name: str) -> None:
        self.var = embedded.temporary_folder(name)
        self.port, self.sandbox_port = free_port(), free_port()
        self.url, self.sandbox_url = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.sandbox_port}"
        self.http = httpx.AsyncClient(base_url=self.url, timeout=20, cookies=NoCookies())
        self.box = Box(self.sandbox_url)
        self._pool: asyncpg.Pool | None = None

    @property
    def database_url(self) -> str:
        """Its Postgres, once it runs."""
        raise NotImplementedError

    async def rows(self, sql: str, *args: Any) -> list[dict[str, Any]]:
        """A look into its tables; waits while Postgres is being restarted."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if self._pool is None:
                    self._pool = await asyncpg.create_pool(self.database_url, min_size=0, max_size=4)
                return [dict(row) for row in await self._pool.fetch(sql, *args)]
            except AWAY:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.1)

    async def products(self, count: int, *, where: str = "price BETWEEN 12 AND 45") -> list[dict[str, Any]]:
        """So many products with plenty in stock whose keys are text, in random order."""
        sql = f"SELECT * FROM product WHERE active AND stock >= 9 AND text_keys AND {where} ORDER BY random()"
        found = await self.rows(f"{sql} LIMIT {count}")
        assert len(found) == count
        return found

    async def hang_up(self) -> None:
        """Close this side's clients and connections."""
        await self.http.aclose()
        await self.box.http.aclose()
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None


class Environment(Shop):
    """A shop whose processes are started and ended one by one, by their names in the Procfile.

    ``settings`` are further environment variables of all its processes. ``s3``: keys go to an object store behind the
    sandbox, which can make it fail; else to a folder, as in development.
    """

    def __init__(self, name: str, processes: Sequence[str] = SHOP, *, s3: bool = True, **settings: str) -> None:
        super().__init__(name)
        self.processes = processes
        self._s3_port = free_port() if s3 else None
        self._settings = settings
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._servers: embedded.Embedded | None = None

    @property
    def database_url(self) -> str:
        return self.variables["DATABASE_URL"]

    async def open(self) -> None:
        """Start everything, with a loaded catalog whose goods don't run out."""
        self._servers = await asyncio.to_thread(embedded.start, self.var)
        self.variables = self._environment(self._servers)
        await asyncio.gather(self.start("sandbox"), self._open_store(), self._command("migrate"))
        await answers(f"{self.sandbox_url}/sandbox/api/faults")
        await self._stock_up()
        await self._command("seed")
        await asyncio.gather(*(self.start(name) for name in self.processes))
        if "web" in self.processes:
            await answers(f"{self.url}/readyz")

    def _environment(self, servers: embedded.Embedded) -> dict[str, str]:
        made = {
            "PYTHONUNBUFFERED": "1", "BITLOOT_ENV": "development", "BITLOOT_VAR": str(self.var), "HOST": "127.0.0.1",
            "PORT": str(self.port), "SANDBOX_PORT": str(self.sandbox_port), "LOG_LEVEL": "INFO",
            "WORKER_THREADS": str(THREADS), "DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url,
            "JWT_SECRET": secrets.token_urlsafe(48), "SANDBOX_MAILS_KEPT": "1000000",
            "MASTER_KEYS": f"dev1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        }  # fmt: skip
        made |= {f"LIMIT_{what}": "1000000" for what in UNLIMITED}
        if self._s3_port is not None:
            made |= {
                "R2_ENDPOINT": f"{self.sandbox_url}/store", "R2_BUCKET": BUCKET,
                "R2_ACCESS_KEY_ID": "dev", "R2_SECRET_ACCESS_KEY": secrets.token_hex(16),
                "SANDBOX_STORE_URL": f"http://127.0.0.1:{self._s3_port}",
            }  # fmt: skip
        return inherited() | made | self._settings

    def _shell(self, name: str) -> str:
        if name == "s3":
            return f"moto_server -H 127.0.0.1 -p {self._s3_port}"
        if name == "sandbox":
            return f"{SANDBOX} --port {self.sandbox_port}"
        return read_procfile(ROOT / "Procfile")[name]

    async def start(self, name: str, shell: str = "") -> None:
        """Start a process by its name in the Procfile, or ``sandbox`` or ``s3``, or by a command of one's own.

        It may not be ready yet when this returns.
        """
        folder = self.var / "logs"
        folder.mkdir(exist_ok=True)
        with (folder / f"{name}.log").open("ab") as log:
            command = ["/bin/sh", "-c", f"exec {shell or self._shell(name)}"]
            self._running[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.variables, stdout=log, stderr=log, start_new_session=True
            )

    async def stop(self, name: str) -> None:
        """SIGTERM, and its end; SIGKILL where that takes too long."""
        process = self._running[name]
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, SLOWEST_STOP)
        await self.kill(name)

    async def kill(self, name: str) -> None:
        """SIGKILL for a process and all that it started; returns once they are dead."""
        process = self._running.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait)

    def runs(self, name: str) -> bool:
        return name in self._running and self._running[name].poll() is None

    def memory(self, name: str) -> float:
        """Resident memory of a process, in MB."""
        return float(psutil.Process(self._running[name].pid).memory_info().rss) / 1e6

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
        return await self.box.asks(method, path.lstrip("/"), **more)

    async def close(self) -> None:
        """End everything and forget it; nothing of it is worth a good end."""
        await self.hang_up()
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

    async def _open_store(self) -> None:
        if self._s3_port is None:
            return
        await self.start("s3")
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
