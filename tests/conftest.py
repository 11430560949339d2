"""Real parts for every test: a Postgres, a Redis and a sandbox of this run's own, stopped at its end."""

import asyncio
import base64
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvloop

from dev import embedded
from dev.box import Box as Box
from dev.embedded import free_port as free_port
from dev.stack import SANDBOX
from scripts import build_docs
from tests.order import pytest_collection_modifyitems as pytest_collection_modifyitems
from tests.order import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler

ROOT = Path(__file__).parents[1]
NOWHERE = {"DATABASE_URL": "postgresql://127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1"}
PURE = "TEST_PURE" in os.environ  # only what needs no servers: mutation testing makes thousands of runs
VAR = embedded.temporary_folder("test")


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers before any module of the app is imported: its settings are read once."""
    if getattr(config.option, "numprocesses", None):
        return  # this one only hands tests out: each process that runs some has servers of its own
    # A shell's background job ignores Ctrl-C, and so would every process that it starts, whose Ctrl-C is tested here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    ours = ("NOWPAYMENTS_", "KINGUIN_", "R2_", "RESEND_", "RATES_", "BITLOOT_")
    for name in [n for n in os.environ if n.startswith(ours)]:
        del os.environ[name]
    os.environ.pop("DATABASE_URL", None)
    os.environ.pop("REDIS_URL", None)
    # As in production; and set before any loop runs, since a change under way leaves asyncio without subprocesses.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    config.add_cleanup(lambda: shutil.rmtree(VAR, ignore_errors=True))
    if not PURE:
        _build_docs()
    urls = NOWHERE if PURE else _start_servers(config)
    os.environ |= {
        "BITLOOT_ENV": "development",
        "BITLOOT_VAR": str(VAR),
        "JWT_SECRET": secrets.token_urlsafe(48),
        "MASTER_KEYS": f"test1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "PORT": str(free_port()),
        "SANDBOX_PORT": str(free_port()),
        "LOG_LEVEL": "WARNING",
        "LIMIT_MAILBOX": "1000",
        "PASSWORD_MEMORY_KIB": "64",  # each of a thousand sign-ins takes 1 ms and not 100
        **urls,
    }
    if not PURE:
        subprocess.run([sys.executable, "-m", "app.cli", "migrate"], check=True, cwd=ROOT, capture_output=True)


def _start_servers(config: pytest.Config) -> dict[str, str]:
    servers = embedded.start(VAR)
    config.add_cleanup(servers.stop)
    return {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}


def _build_docs() -> None:
    """As `make docs` does; once, though several processes run tests. `tests/house/test_docs.py` judges its warnings."""
    with (ROOT / "docs" / "conf.py").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not build_docs.is_fresh():
            build_docs.build(strict=False)


def wait_for(url: str, process: subprocess.Popen[bytes], *, seconds: float = 90) -> None:
    """Until ``url`` answers 200; fails at once when the process has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{process.args} ended with {process.returncode}"
        try:
            if httpx.get(url, timeout=2, verify=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"{url} did not answer within {seconds} s")


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[str]:
    """A sandbox of this run's own, as a real process. Yields its address."""
    port = os.environ["SANDBOX_PORT"]
    with (VAR / "sandbox.log").open("wb") as log:
        command = [sys.executable, "-m", *SANDBOX.split(), "--port", port]
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/sandbox/api/faults", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
async def box(sandbox_process: str) -> AsyncIterator[Box]:
    """The sandbox, as it was at its start."""
    found = Box(sandbox_process)
    await found.reset()
    yield found
    await found.http.aclose()


@pytest.fixture(scope="session")
async def house(sandbox_process: str) -> AsyncIterator[Any]:
    """The web application with its pools open in this process, and a catalog in its tables."""
    from app.catalog import rates  # noqa: PLC0415 - after pytest_configure
    from app.catalog import service as catalog  # noqa: PLC0415
    from app.main import create_app, lifespan  # noqa: PLC0415
    from app.payments import coins  # noqa: PLC0415
    from app.suppliers.kinguin import KinguinSupplier  # noqa: PLC0415

    application = create_app()
    async with lifespan(application):
        await rates.sync(rates=application.state.kit.rates)
        await catalog.sync(listing=KinguinSupplier(application.state.kit.kinguin))
        await coins.sync(nowpayments=application.state.kit.nowpayments)
        application.state.rates = await _rates()
        yield application


async def _rates() -> str:
    from app.core import db  # noqa: PLC0415

    return str(await db.fetch_value("SELECT string_agg(r::text, ' ' ORDER BY id) FROM exchange_rate r"))


KEPT_TABLES = {"product", "coin", "exchange_rate", "migration"}


@pytest.fixture
async def app(house: Any, box: Box) -> Any:
    """The application on empty tables (but for catalog and coins), an empty Redis and a fresh sandbox."""
    from app.catalog import rates  # noqa: PLC0415
    from app.catalog import service as catalog  # noqa: PLC0415
    from app.core import db, rate_limit  # noqa: PLC0415
    from app.core.redis import async_client  # noqa: PLC0415
    from app.inbox.refusals import refusals  # noqa: PLC0415
    from app.suppliers.kinguin import KinguinSupplier  # noqa: PLC0415

    await refusals.flush()  # what the last test left waiting
    rows = await db.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    names = [row["tablename"] for row in rows if row["tablename"] not in KEPT_TABLES]
    async with db.connection() as connection:
        # A tenth of TRUNCATE's time on tables this small; as a replica, no foreign key asks for an order.
        await connection.execute(
            "BEGIN; SET LOCAL session_replication_role = replica;"
            + "".join(f'DELETE FROM "{name}";' for name in names)
            + "COMMIT"
        )
    if await _rates() != house.state.rates:
        await db.fetch("DELETE FROM exchange_rate")
        await rates.sync(rates=house.state.kit.rates)
        house.state.rates = await _rates()
    await db.fetch("DELETE FROM product WHERE supplier = 'own_stock'")
    changed = await db.fetch_value("SELECT count(*) FROM product WHERE updated_at <> created_at")
    if changed:
        await catalog.sync(listing=KinguinSupplier(house.state.kit.kinguin))
        await db.fetch("UPDATE product SET updated_at = created_at")
    async with async_client() as redis:
        await redis.flushall()
    rate_limit.start_anew()
    return house


@pytest.fixture
async def client(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A JSON client of the application, with cookies of its own."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    base = os.environ["PORT"]
    async with httpx.AsyncClient(
        transport=transport, base_url=f"http://127.0.0.1:{base}", headers={"accept": "application/json"}
    ) as made:
        yield made


@pytest.fixture
async def browser_client(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client that asks for pages, as a browser without JavaScript does."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url=f"http://127.0.0.1:{os.environ['PORT']}", headers={"accept": "text/html"}
    ) as made:
        yield made


Drain = Callable[..., Awaitable[int]]


@pytest.fixture
def drain(app: Any) -> Drain:
    """Run due jobs here and now, as a worker would, until none is left. ``later=True`` also runs those that wait.

    Answers how many attempts were made. With ``only`` it runs jobs of that name alone.
    """
    from actors.job import attempt  # noqa: PLC0415
    from app.core import clock, db  # noqa: PLC0415
    from app.queue.retry_policy import AttemptFailed, decide  # noqa: PLC0415

    async def run(*, later: bool = False, only: str | None = None, most: int = 300) -> int:
        made = 0
        while made < most:
            row = await db.fetch_one(
                """SELECT id, run_at FROM job WHERE status = 'pending' AND ($1 OR run_at <= $2)
                   AND ($3::text IS NULL OR name = $3) ORDER BY run_at LIMIT 1""",
                later, clock.now(), only,
            )  # fmt: skip
            if row is None:
                return made
            made += 1
            with clock.travelled(max(row["run_at"] - clock.now(), clock.timedelta())):
                try:
                    await attempt(row["id"], app.state.kit)
                except AttemptFailed as failed:
                    await decide(failed)
        raise AssertionError(f"{most} attempts and still not done")

    return run
