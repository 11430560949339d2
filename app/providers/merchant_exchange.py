"""One POST over one connection, HTTP/1.1 (RFC 9112), read as leniently as a receiver of webhooks may be written.

The status line decides. Whatever follows it, an endless head, bad lines, bad lengths, a body cut off, is read as far
as it goes; it costs the connection its second use, and the delivery nothing.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CONNECT_SECONDS = 3.0  # for one address with its TLS handshake, so that a second address gets its chance
REST_SECONDS = 3.0  # for what follows the status line
MAX_BODY_BYTES = 64 * 1024  # of a body, and of a head
MAX_BUFFER_BYTES = 256 * 1024
KEPT_BYTES = 4 * 1024
STATUS = re.compile(rb"HTTP/\d(?:\.\d)?[ \t]+([1-9]\d\d)(?!\d)")
MOST_INTERIM = 20  # answers of 1xx before the one that counts
LONGEST_STATUS = 64  # bytes by which a status line has shown whether it is one
BODILESS = {204, 304}
LENGTH = re.compile(r"\d{1,15}")
CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")


class NotHttp(Exception):
    """What came back has no status line."""


class HungUp(Exception):
    """The connection ended before a status line was there. ``silent``: before anything was."""

    def __init__(self, *, silent: bool) -> None:
        super().__init__()
        self.silent = silent


@dataclass(slots=True)
class Answer:
    """What has been read so far. ``status``: 0 until its line is there; ``whole``: read to its proper end."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False
    reusable: bool = False


class Connection(asyncio.Protocol):
    """A socket to one address, with what has arrived and was not read yet."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.ended = False
        self._received = 0
        self._news = asyncio.Event()
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self._received += len(data)
        if len(self.buffer) > MAX_BUFFER_BYTES:
            self._transport.abort()
        self._news.set()

    def eof_received(self) -> bool:
        self.ended = True
        self._news.set()
        return False

    def connection_lost(self, _error: Exception | None) -> None:
        self.ended = True
        self._news.set()

    @property
    def idle(self) -> bool:
        """Whether it may carry another request: open, with nothing on it that nobody asked for."""
        return not (self.ended or self.buffer or self._transport.is_closing())

    def close(self) -> None:
        self._transport.abort()

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    async def more(self) -> bool:
        """Wait for more bytes. False where none will come."""
        before = self._received
        while self._received == before and not self.ended:
            self._news.clear()
            await self._news.wait()
        return self._received != before

    async def line(self, longest: int) -> bytes | None:
        """The next line without its end; None where it does not end, or not within ``longest`` bytes."""
        while (end := self.buffer.find(b"\n")) < 0:
            if len(self.buffer) > longest or not await self.more():
                return None
        return self.take(end + 1).rstrip(b"\r\n") if end <= longest else None

    def take(self, count: int) -> bytes:
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken


async def connect(
    address: str,
    port: int,
    *,
    tls: ssl.SSLContext | None,
    name: str | None,
    sockets: Callable[[Any], socket.socket] | None,
) -> Connection:
    """A new connection to ``address``, its certificate checked for ``name``. Raises OSError, TimeoutError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    info = (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
    loop = asyncio.get_running_loop()
    made = sockets(info) if sockets else socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        async with asyncio.timeout(CONNECT_SECONDS):
            await loop.sock_connect(made, info[4])
            _, connection = await loop.create_connection(Connection, sock=made, ssl=tls, server_hostname=name)
    except BaseException:
        made.close()
        raise
    return connection


async def exchange(connection: Connection, request: bytes, answer: Answer) -> None:
    """Send ``request`` and fill ``answer`` in as it comes. Raises NotHttp or HungUp where it has no status."""
    connection.write(request)
    modern = await _status(connection, answer)
    try:
        async with asyncio.timeout(REST_SECONDS):
            whole = await _head(connection, answer) and await _body(connection, answer)
    except TimeoutError:
        return
    closing = "close" in _values(answer, "connection")
    answer.whole = whole
    answer.reusable = whole and modern and not closing and connection.idle


async def _status(connection: Connection, answer: Answer) -> bool:
    """Read up to the final status line, past interim answers (RFC 9110, 15.2). Whether it is of HTTP/1.1."""
    interim = 0
    while interim <= MOST_INTERIM:
        while connection.buffer.startswith((b"\r", b"\n")):
            connection.take(1)
        text = bytes(connection.buffer)
        found = STATUS.match(text)
        enough = b"\n" in text or len(text) >= LONGEST_STATUS
        if found is None and (enough or not _may_begin(text)):
            raise NotHttp
        final = int(found[1]) if found and (found[1][:1] != b"1" or found[1] == b"101") else 0
        answer.status = final
        if not enough and await connection.more():
            continue
        if found is None:
            raise HungUp(silent=not text and not interim)
        if final:
            return text.startswith(b"HTTP/1.1")
        interim += 1
        while (line := await connection.line(MAX_BODY_BYTES)) != b"":
            if line is None:
                raise HungUp(silent=False)
    raise NotHttp


def _may_begin(text: bytes) -> bool:
    """Whether a status line may begin like this."""
    return text[:5] == b"HTTP/"[: len(text[:5])]


async def _head(connection: Connection, answer: Answer) -> bool:
    """The header lines, those that are none left out. Whether the head came to its end."""
    if await connection.line(MAX_BODY_BYTES) is None:
        return False
    size = 0
    while (line := await connection.line(MAX_BODY_BYTES)) != b"":
        if line is None or (size := size + len(line)) > MAX_BODY_BYTES:
            return False
        name, colon, value = line.decode("latin-1").partition(":")
        if colon and name.strip() and not line[:1].isspace():
            answer.headers.append((name.strip().lower(), value.strip()))
    return True


def _values(answer: Answer, name: str) -> list[str]:
    """All values of a header, in lower case, those of a list apart."""
    found = [value for known, value in answer.headers if known == name]
    return [part.strip().lower() for value in found for part in value.split(",")]


async def _body(connection: Connection, answer: Answer) -> bool:
    """As much of the body as there is, its beginning kept. Whether it came to its proper end (RFC 9112, 6.3)."""
    if answer.status in BODILESS:
        return True
    coding, lengths = _values(answer, "transfer-encoding"), set(_values(answer, "content-length"))
    if coding:
        return coding == ["chunked"] and await _chunks(connection, answer)
    if len(lengths) == 1 and LENGTH.fullmatch(length := lengths.pop()):
        return await _bytes(connection, answer, int(length), 0) == int(length)
    await _bytes(connection, answer, MAX_BODY_BYTES, 0)  # no length, or no good one: until they hang up
    return False


async def _bytes(connection: Connection, answer: Answer, count: int, before: int) -> int:
    """Read ``count`` bytes of a body of which ``before`` were read, as long as it is not too long. How many came."""
    got = 0
    while got < count and before + got < MAX_BODY_BYTES:
        if not connection.buffer and not await connection.more():
            break
        part = connection.take(count - got)
        answer.body += part[: max(0, KEPT_BYTES - len(answer.body))]
        got += len(part)
    return got


async def _chunks(connection: Connection, answer: Answer) -> bool:
    """A chunked body (RFC 9112, 7.1), up to the first chunk that is none."""
    total = 0
    while (line := await connection.line(KEPT_BYTES)) is not None and (found := CHUNK.fullmatch(line)):
        size = int(found[1], 16)
        if not size:
            while trailer := await connection.line(KEPT_BYTES):
                del trailer
            return trailer == b""
        total += (got := await _bytes(connection, answer, size, total))
        if got < size or await connection.line(2) != b"":
            return False
    return False
