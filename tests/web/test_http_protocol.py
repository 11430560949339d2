"""What a connection may cost before the application sees a request, spoken over plain sockets."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import psutil
import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from app.web.kernel import http_protocol
from app.web.kernel.http_protocol import BoundedHttp
from tests.web.conftest import Shop

ENOUGH = 20.0  # seconds that a test waits for what must come
ALIVE = b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n"


async def said(address: tuple[str, int], *parts: bytes, half: bool = False) -> bytes:
    """All that the server answers to these bytes until it hangs up; unless ``half``, our side ends after them."""
    reader, writer = await asyncio.open_connection(*address)
    heard = b""
    try:
        with contextlib.suppress(ConnectionError):
            for part in parts:
                writer.write(part)
                await writer.drain()
            if not half:
                writer.write_eof()
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(ENOUGH):
                while more := await reader.read(65536):
                    heard += more
        return heard
    finally:
        writer.transport.abort()


def address_of(shop: Shop) -> tuple[str, int]:
    host, _, port = shop.url.removeprefix("http://").partition(":")
    return host, int(port)


def head(*lines: bytes, path: bytes = b"/healthz") -> bytes:
    return b"\r\n".join([b"GET " + path + b" HTTP/1.1", b"host: a", *lines, b"connection: close", b"\r\n"])


TOO_LARGE = {
    "200 kB of header lines": head(*[b"x-%d: " % n + b"v" * 4000 for n in range(50)]),
    "one line of 200 kB": head(b"x: " + b"v" * 200_000),
    "one name of 200 kB": head(b"x" * 200_000 + b": v"),
    "a cookie of 70 kB": head(b"cookie: " + b"c" * 70_000),
    "an address of 70 kB": head(path=b"/healthz?" + b"q" * 70_000),
    "99 lines more": head(*[b"a: b"] * 99),
    "a line of 200 kB without an end": b"GET / HTTP/1.1\r\nx: " + b"v" * 200_000,
    "an address without an end": b"GET /" + b"v" * 200_000,
    "empty lines without an end": b"\r\n" * 100_000,
}


@pytest.mark.parametrize("sent", TOO_LARGE.values(), ids=TOO_LARGE.keys())
async def test_a_head_beyond_64_kb_or_100_lines_is_431_and_cut(shop, sent: bytes) -> None:
    answer = await said(address_of(shop), sent, half=True)
    assert answer.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n"), answer[:200]


CHUNKED = b"POST /healthz HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n"


@pytest.mark.parametrize("trailers", [b"x: %b\r\n" % (b"v" * 2000) * 50, b"a: b\r\n" * 200, b"x" * 400_000])
async def test_trailers_beyond_the_limits_are_cut(shop, trailers: bytes) -> None:
    """The request may be answered by then; its connection ends all the same, before it has cost more."""
    await said(address_of(shop), CHUNKED, trailers, half=True)


@pytest.mark.parametrize("step", [1000, 7777])
async def test_a_large_head_in_pieces_is_431_too(shop, step: int) -> None:
    sent = head(*[b"x-%d: " % n + b"v" * 4000 for n in range(17)])
    answer = await said(address_of(shop), *(sent[at : at + step] for at in range(0, len(sent), step)), half=True)
    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_a_head_within_the_limits_is_served(shop) -> None:
    for lines in ([b"a: b"] * 98, [b"x: " + b"v" * 60_000], [b"cookie: " + b"c" * 4096] * 15):
        assert (await said(address_of(shop), head(*lines))).startswith(b"HTTP/1.1 200 ")
    slow = head(*[b"x-%d: y" % n for n in range(20)])
    assert (await said(address_of(shop), *(slow[at : at + 1] for at in range(len(slow))))).startswith(b"HTTP/1.1 200 ")


async def test_20_mb_of_header_lines_cost_no_memory_and_are_cut(shop) -> None:
    web = psutil.Process(shop.process.pid)
    before, taken = web.memory_info().rss, 0
    _, writer = await asyncio.open_connection(*address_of(shop))
    writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n")
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(ENOUGH):
            while taken < 20_000_000:
                writer.write(b"a: b\r\n" * 10_000)
                await writer.drain()
                taken += 60_000
    writer.transport.abort()
    assert taken < 20_000_000
    assert web.memory_info().rss - before < 16_000_000


class Impatient(BoundedHttp):
    """The same with deadlines that a test can wait for."""

    head_seconds = 0.3
    message_seconds = 0.6


async def _app(scope, receive, send) -> None:
    """Reads the body to its end and answers with its length."""
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    text = str(len(body)).encode()
    headers = [(b"content-length", b"%d" % len(text))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text})


@contextlib.asynccontextmanager
async def serving(protocol: type[BoundedHttp]) -> AsyncIterator[tuple[str, int]]:
    config, state = Config(_app, ws="none", log_config=None, timeout_keep_alive=1), ServerState()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: protocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()


@pytest.mark.parametrize(
    "sent",
    [b"GET", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nhost: a\r\nx-half", b"\r\n\r\n",
     b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nhalf",
     b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nha"],
    ids=["a method", "a request line", "half a header line", "empty lines", "half a body", "half a chunk"],
)  # fmt: skip
async def test_what_is_half_sent_is_cut(sent: bytes) -> None:
    async with serving(Impatient) as address:
        answer = await said(address, sent, half=True)
    assert not answer or answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")


async def test_a_byte_now_and_then_does_not_put_the_deadline_off() -> None:
    async with serving(Impatient) as address:
        reader, writer = await asyncio.open_connection(*address)
        sent = 0
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(ENOUGH):
                while not reader.at_eof():
                    writer.write(b"G" if not sent else b"x")
                    sent += 1
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(100), 0.05)
        writer.transport.abort()
    assert sent < 200


async def test_a_connection_that_says_nothing_is_closed() -> None:
    async with serving(Impatient) as address:
        assert await said(address, half=True) == b""


async def test_requests_after_one_another_on_a_connection_are_served() -> None:
    ask = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nabcd"
    async with serving(Impatient) as address:
        heard = await said(address, ask, b"\r\n", ask, ask + ask, half=True)
    assert heard.count(b"HTTP/1.1 200") == 4
    assert b"408" not in heard


async def test_a_thousand_requests_at_once_on_one_connection_are_not_queued() -> None:
    async with serving(Impatient) as address:
        heard = await said(address, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n" * 1000, half=True)
    assert heard.count(b"HTTP/1.1 200") <= http_protocol.MOST_PIPELINED + 1


async def test_one_address_holds_so_many_connections_and_no_more(sandbox_process: str) -> None:
    shop = Shop("few", LIMIT_CONNECTIONS="3")
    try:
        held = [socket.create_connection(address_of(shop)) for _ in range(3)]
        for one in held:
            one.sendall(ALIVE)
            assert one.recv(100).startswith(b"HTTP/1.1 200")
        assert (await said(address_of(shop), ALIVE)).startswith(b"HTTP/1.1 429 ")
        held.pop().close()
        async with asyncio.timeout(ENOUGH):
            while not (await said(address_of(shop), ALIVE)).startswith(b"HTTP/1.1 200"):
                pass
        for one in held:
            one.close()
    finally:
        shop.end()


async def test_behind_a_proxy_its_connections_are_not_counted(sandbox_process: str) -> None:
    shop = Shop("proxied", LIMIT_CONNECTIONS="2", PROXY_HOPS="1")
    try:
        held = [socket.create_connection(address_of(shop)) for _ in range(5)]
        for one in held:
            one.sendall(ALIVE)
            assert one.recv(100).startswith(b"HTTP/1.1 200")
            one.close()
    finally:
        shop.end()
