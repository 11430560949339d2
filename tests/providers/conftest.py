"""A provider on a real socket, which answers what a test tells it to and keeps what it was asked."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import boto3
import pytest
import pytest_asyncio
from moto.server import ThreadedMotoServer


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """``then`` is what happens instead of a full answer: drop (hang up), hang (say nothing), drip (never end)."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    then: str = "answer"

    def head(self) -> bytes:
        length = 10**6 if self.then == "drip" else len(self.body)
        lines = {"content-type": "application/json", "content-length": str(length)} | self.headers
        return "\r\n".join([f"HTTP/1.1 {self.status} X", *(f"{k}: {v}" for k, v in lines.items()), "", ""]).encode()


class ScriptedServer:
    def __init__(self) -> None:
        self.url = ""
        self.seen: list[Request] = []
        self.connections = 0
        self._replies: dict[tuple[str, str], list[Reply]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()

    def on(self, route: str, body: object = b"{}", status: int = 200, **more: Any) -> "ScriptedServer":
        """Answer ``route`` ("GET /path") so; told again, the answers come in turn and the last one stays."""
        method, path = route.split(" ")
        raw = body if isinstance(body, bytes) else str(body).encode()
        self._replies[method, path].append(Reply(status, raw, **more))
        return self

    @property
    def last(self) -> Request:
        return self.seen[-1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while await self._exchange(reader, writer):
                pass
        self._tasks.discard(task)
        writer.close()

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request = await self._read(reader, writer)
        self.seen.append(request)
        replies = self._replies[request.method, request.path]
        none = Reply(404, b'{"message":"no such route on this wire"}')
        reply = (replies.pop(0) if len(replies) > 1 else replies[0]) if replies else none
        if reply.then == "drop":
            return False
        if reply.then == "hang":
            await asyncio.Event().wait()
        writer.write(reply.head())
        while reply.then == "drip":
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)
        writer.write(reply.body)
        await writer.drain()
        return True

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("expect") == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        parts = urlsplit(target)
        return Request(method, parts.path, dict(parse_qsl(parts.query)), headers, body)


@pytest_asyncio.fixture(loop_scope="session")
async def wire() -> AsyncIterator[ScriptedServer]:
    made = ScriptedServer()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()
    await made.close()
    await server.wait_closed()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The URL of a real S3 server (moto's) over HTTP."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3_bucket(s3_server: str) -> tuple[str, str]:
    """Its URL and a fresh bucket there."""
    name = f"b-{uuid4().hex}"
    boto3.client(
        "s3", endpoint_url=s3_server, region_name="us-east-1", aws_access_key_id="id", aws_secret_access_key="secret"
    ).create_bucket(Bucket=name)
    return s3_server, name
