"""A load generator that costs as little as it can: prepared requests over raw keep-alive connections."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import cast


@dataclass
class Result:
    """``rate`` in answers a second; ``latencies`` in seconds, sorted; ``statuses`` counts by HTTP status."""

    seconds: float
    latencies: list[float]
    statuses: dict[int, int] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """In milliseconds."""
        at = min(int(len(self.latencies) * share), len(self.latencies) - 1)
        return self.latencies[at] * 1000


class _Connection(asyncio.Protocol):
    """Sends a request as soon as the last answer is whole."""

    def __init__(self, source: Callable[[], bytes | None], done: asyncio.Future[None], result: Result) -> None:
        self.source, self.done, self.result = source, done, result
        self.buffer = b""
        self.began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        request = self.source()
        if request is None:
            self.transport.close()
            if not self.done.done():
                self.done.set_result(None)
            return
        self.began = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head_end = self.buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self.buffer[:head_end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.buffer) < head_end + 4 + length:
            return
        status = int(self.buffer[9:12])
        self.result.statuses[status] = self.result.statuses.get(status, 0) + 1
        self.result.latencies.append(time.perf_counter() - self.began)
        self.buffer = self.buffer[head_end + 4 + length :]
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionResetError("the server closed the connection"))


async def hammer(port: int, requests: list[bytes], connections: int) -> Result:
    """Send every request once over ``connections`` connections; bounded by the list itself."""
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    result = Result(0, [])
    ends: list[asyncio.Future[None]] = [loop.create_future() for _ in range(connections)]
    began = time.perf_counter()
    for end in ends:
        await loop.create_connection(partial(_Connection, lambda: next(waiting, None), end, result), "127.0.0.1", port)
    await asyncio.wait_for(asyncio.gather(*ends), 120)
    result.seconds = time.perf_counter() - began
    result.latencies.sort()
    return result


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """One HTTP/1.1 request as bytes; underscores in header names become hyphens."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
