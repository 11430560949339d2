"""Visitors of every kind, and whole shops as processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.accounts import service as accounts
from dev.stack import read_procfile
from tests.conftest import ROOT, VAR, free_port, wait_for
from tests.web import builders

HTML, JSON = "text/html", "application/json"
Visitors = Callable[..., httpx.AsyncClient]


@pytest.fixture
async def visitor(app: Any) -> AsyncIterator[Visitors]:
    """Makes clients with cookies of their own: ``visitor()`` asks for pages, ``visitor(JSON)`` for JSON."""
    made: list[httpx.AsyncClient] = []

    def make(accept: str = HTML, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        base = f"http://127.0.0.1:{os.environ['PORT']}"
        made.append(httpx.AsyncClient(transport=transport, base_url=base, headers={"accept": accept, **headers}))
        return made[-1]

    yield make
    for client in made:
        await client.aclose()


@pytest.fixture
async def placed(client: httpx.AsyncClient) -> builders.Bought:
    """An order that waits for its payment to be prepared."""
    return await builders.place(client)


@pytest.fixture
async def ready(client: httpx.AsyncClient, box: Any, drain: Any) -> builders.Bought:
    """An order with its key sealed and waiting for the reveal."""
    return await builders.ready(client, box, drain)


@pytest.fixture
async def admin(visitor: Visitors) -> httpx.AsyncClient:
    """The browser of an admin who signed in a while ago."""
    await accounts.create_staff("boss@bitloot.test", builders.PASSWORD)
    browser = visitor()
    token = await builders.session_of("boss@bitloot.test", "admin")
    browser.cookies.set("bitloot_session", token, domain="127.0.0.1", path="/")
    return browser


class Shop:
    """The web process as a host runs it, by the Procfile's own line, with settings of its own."""

    def __init__(self, name: str, **env: str) -> None:
        port = str(free_port())
        self.url, self.log = f"http://127.0.0.1:{port}", VAR / f"{name}-{port}.log"
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        mine = os.environ | {"PORT": port, "HOST": "127.0.0.1", "PATH": path, "LOG_LEVEL": "INFO"} | env
        with self.log.open("wb") as log:
            command = f"exec {read_procfile(ROOT / 'Procfile')['web']}"
            self.process = subprocess.Popen(command, shell=True, cwd=ROOT, stdout=log, stderr=log, env=mine)
        wait_for(f"{self.url}/healthz", self.process)

    def stop(self) -> int:
        """End it as a host does: SIGTERM, and no more than 25 seconds."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(25)

    def end(self) -> None:
        """End it whatever it takes."""
        self.process.kill()
        self.process.wait(10)


@pytest.fixture(scope="session")
def shop(sandbox_process: str) -> Iterator[Shop]:
    """A shop on a real port, with the usual settings."""
    found = Shop("shop")
    yield found
    found.end()


@pytest.fixture(scope="session")
def strict_shop(sandbox_process: str) -> Iterator[Shop]:
    """A shop behind one proxy, with small limits and with the supplier's HMAC switched on."""
    limits = {f"LIMIT_{name}": "3" for name in ("ORDERS", "PAYMENTS", "REVEALS", "LOGINS", "LOOKUPS")}
    found = Shop("strict", KINGUIN_SIGNATURE_SECRET=builders.SIGNATURE_SECRET, PROXY_HOPS="1", **limits)
    yield found
    found.end()


@pytest.fixture
async def outside(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A JSON client on the network, for shops that are processes; on empty tables."""
    async with httpx.AsyncClient(headers={"accept": JSON}, timeout=20, verify=False) as client:
        yield client


@pytest.fixture
async def strict(app: Any, strict_shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    """A JSON client of the strict shop, on empty tables and fresh limits."""
    async with httpx.AsyncClient(
        base_url=strict_shop.url, headers={"accept": JSON}, timeout=20, verify=False
    ) as client:
        yield client


@pytest.fixture(scope="session")
def sparing_shop(sandbox_process: str) -> Iterator[Shop]:
    """A shop that mails a mailbox four letters of a sort a day."""
    found = Shop("sparing", LIMIT_MAILBOX="4")
    yield found
    found.end()


@pytest.fixture
async def sparing(app: Any, sparing_shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=sparing_shop.url, headers={"accept": JSON}, timeout=20) as client:
        yield client
