"""A Postgres that takes connections and never answers: whoever asks hears 503 within five seconds, at every door."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.database.deployment import Deployment
from tests.database.servers import OwnPostgres
from tests.web.builders import IPN, compact, sign

pytestmark = [pytest.mark.processes, pytest.mark.proof]
NOTICE = compact({"payment_id": 77, "payment_status": "waiting"})
SIGNED = {"x-nowpayments-sig": sign(NOTICE)}
LIMIT = 5.0  # seconds
HTML = {"accept": "text/html"}


class Silence:
    """A TCP address that leads to a database, and whose packets get lost on the way when it is told so."""

    def __init__(self, folder: str) -> None:
        self._folder, self._passes = folder, asyncio.Event()
        self._passes.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    @contextlib.contextmanager
    def hung(self):
        self._passes.clear()
        try:
            yield
        finally:
            self._passes.set()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._lead, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield
        server.close()
        for task in self._tasks:
            task.cancel()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(f"{self._folder}/.s.PGSQL.5432")
        for source, target in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._copy(source, target))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                await self._passes.wait()
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


@contextlib.asynccontextmanager
async def stopped(postgres: OwnPostgres):
    """As a server whose disk hangs."""
    yield postgres.url, postgres.hung


@contextlib.asynccontextmanager
async def cut_off(postgres: OwnPostgres):
    """As behind a firewall that has forgotten the connection."""
    line = Silence(postgres.socket_folder)
    async with line.open():
        yield f"postgresql://postgres@127.0.0.1:{line.port}/postgres", line.hung


@pytest.mark.parametrize("way", [stopped, cut_off])
async def test_while_postgres_hangs_every_door_says_503_within_five_seconds_and_works_again_afterwards(
    small: OwnPostgres, way
) -> None:
    async with way(small) as (url, hung):
        shop = Deployment(url, small.url)
        try:
            shop.start("web")
            await shop.answers()
            async with httpx.AsyncClient(base_url=shop.url, headers={"accept": "application/json"}) as http:
                [product] = await shop.products(1)
                order = {"email": "a@b.de", "items": [{"productId": str(product["id"]), "quantity": 1}]}
                assert (await http.post("/orders", json=order, timeout=20)).status_code == 201
                http.cookies.clear()
                with hung():
                    for _ in range(2):  # with connections that are open, then with new ones
                        doors = [http.get("/", headers=HTML, timeout=LIMIT) for _ in range(20)]
                        doors += [http.post("/orders", json=order, timeout=LIMIT)]
                        doors += [http.post(IPN, content=NOTICE, headers=SIGNED, timeout=LIMIT) for _ in range(20)]
                        answers = await asyncio.gather(*doors)
                        assert {answer.status_code for answer in answers} == {503}
                        assert {answer.headers["retry-after"] for answer in answers} == {"5"}
                        assert "Your order and your money are safe" in answers[0].text
                    ready, health = await asyncio.gather(
                        http.get("/readyz", timeout=LIMIT), http.get("/health", timeout=LIMIT)
                    )
                    assert (ready.status_code, health.status_code) == (503, 503)
                    assert health.json()["components"]["database"]["error"] == "no answer in time"
                    assert (await http.get("/healthz", timeout=LIMIT)).status_code == 200
                await shop.answers()
                assert (await http.get("/", headers=HTML, timeout=20)).status_code == 200
                assert (await http.post(IPN, content=NOTICE, headers=SIGNED, timeout=20)).status_code == 200
                assert [row["n"] for row in await shop.rows("SELECT count(*) AS n FROM inbound_webhook")] == [1]
        finally:
            await shop.close()
