"""Open order pages: 2,000 streams on one web process, event commit → client."""

import asyncio
import random
import time
from functools import partial
from typing import cast
from uuid import UUID

from dev.bench.environment import Measured
from dev.bench.report import Row

STREAMS, EVENTS = 2000, 400
PAUSE = 0.02  # seconds between events


class _Page(asyncio.Protocol):
    """One open order page: counts what arrives and tells when."""

    def __init__(self, order: UUID, ask: bytes, seen: dict[UUID, float], opened: asyncio.Event) -> None:
        self.order, self.ask, self.seen, self.opened = order, ask, seen, opened
        self.quiet, self.head = True, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self.ask)

    def data_received(self, data: bytes) -> None:
        if self.quiet:
            self.head += data  # its first words may come in two pieces
            self.quiet = b"retry:" not in self.head
            if not self.quiet:
                self.head = b""
                self.opened.set()
        if b"id: " in data:
            self.seen[self.order] = time.perf_counter()


async def _place(count: int) -> list[tuple[UUID, str]]:
    """So many orders, each with its own access token; placed without the web process, to leave it fresh."""
    from app.accounts import tokens  # noqa: PLC0415 - its settings come from the environment
    from app.catalog import queries as catalog  # noqa: PLC0415
    from app.orders import service as orders  # noqa: PLC0415

    products, _ = await catalog.browse(catalog.Browse(sort="-price"))
    product = max(products, key=lambda listed: listed.stock)
    price = await orders.quote([orders.Wanted(product.id, 1)])
    placed = [await orders.place("delivered+b@resend.dev", price) for _ in range(count)]
    return [(one.order_id, tokens.orders_token([one.order_id])) for one in placed]


async def measure(env: Measured) -> list[Row]:
    from app.core import db  # noqa: PLC0415 - its settings come from the environment
    from app.history import service as history  # noqa: PLC0415

    await env.start_web()
    await db.open_pool(2)
    placed = await _place(STREAMS)
    before = env.memory("web")
    seen: dict[UUID, float] = {}
    pages = []
    loop = asyncio.get_running_loop()
    for order, token in placed:
        ask = (
            f"GET /orders/{order}/events?after=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
            "Accept: text/html, text/event-stream\r\nHX-Request: true\r\n\r\n"
        ).encode()
        opened = asyncio.Event()
        _, page = await loop.create_connection(partial(_Page, order, ask, seen, opened), "127.0.0.1", env.port)
        pages.append((page, opened))
    await asyncio.wait_for(asyncio.gather(*(opened.wait() for _, opened in pages)), 60)
    await asyncio.sleep(3)
    each = (env.memory("web") - before) * 1000 / STREAMS
    delays = []
    for _ in range(EVENTS):
        order, _ = random.choice(placed)
        seen.pop(order, None)
        await history.record(order, "bench.tick")
        committed = time.perf_counter()
        while order not in seen and time.perf_counter() - committed < 5:
            await asyncio.sleep(0.0005)
        delays.append((seen.get(order, committed + 5) - committed) * 1000)
        await asyncio.sleep(PAUSE)
    await db.close_pool()
    for page, _ in pages:
        page.transport.close()
    await env.stop("web")
    delays.sort()
    return [
        Row(f"Live, {STREAMS} pages, p50", delays[len(delays) // 2], "ms"),
        Row(f"Live, {STREAMS} pages, p99", delays[int(len(delays) * 0.99)], "ms", limit=50),
        Row("Memory of an open page", each, "kB", limit=40),
    ]
