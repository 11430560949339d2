"""Webhooks to a receiver on this machine with one worker process; beside bare posts to the same receiver."""

import asyncio
import time
from typing import cast
from uuid import UUID

import aiohttp

from app.contract.event import TestedEndpoint
from app.contract.event_types import TEST
from app.core import clock, db
from app.core.ids import new_id
from app.core.redis_publisher import publisher
from app.core.settings import settings
from app.webhooks import publish, service
from app.webhooks.publish import NewEvent
from dev.bench.environment import Measured
from dev.bench.report import Row

DELIVERIES = 1000
ENDPOINTS = 10  # in the second figure
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Receiver(asyncio.Protocol):
    """Says 200 to each POST as soon as its whole body is here; about as quick as a receiver can be in Python."""

    def __init__(self) -> None:
        self._got = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by name

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if end and len(body) >= int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]):
            self._got = b""
            self._transport.write(OK)


async def _bare(url: str, body: bytes, at_once: int) -> float:
    """Posts a second of a client that keeps its connections and does nothing else."""
    async with aiohttp.ClientSession() as http:

        async def some() -> None:
            for _ in range(DELIVERIES // at_once):
                async with http.post(url, data=body) as answer:
                    await answer.read()

        began = time.perf_counter()
        await asyncio.gather(*(some() for _ in range(at_once)))
        return DELIVERIES / (time.perf_counter() - began)


def _event(object_id: UUID) -> NewEvent:
    data = TestedEndpoint(id=object_id, object="endpoint", url="https://shop.example.com/hooks", name="the bench")
    return NewEvent(TEST, "endpoint", object_id, object_id, 1, clock.now(), data)


async def _rate(env: Measured, url: str, endpoints: int) -> float:
    """Deliveries a second, from the worker's first to the note of the last."""
    merchant_id = new_id()
    await db.fetch(
        """INSERT INTO merchant (id, name, origins, live_number, test_number, created_at)
           VALUES ($1, 'Bench', '[]', 0, 0, $2)""",
        merchant_id, clock.now(),
    )  # fmt: skip
    for _ in range(endpoints):
        await service.add(merchant_id, test=True, url=url)
    async with db.transaction():
        await publish.store(merchant_id, True, [_event(new_id()) for _ in range(DELIVERIES // endpoints)])
    await asyncio.to_thread(publisher.close)
    await env.start_webhooks()
    while not (first := await db.fetch_value("SELECT count(*) FROM delivery WHERE status = 'delivered'")):
        await asyncio.sleep(0.01)
    began, done = time.perf_counter(), first
    while done < DELIVERIES:
        await asyncio.sleep(0.02)
        done = await db.fetch_value("SELECT count(*) FROM delivery WHERE status = 'delivered'")
    rate = (DELIVERIES - first) / (time.perf_counter() - began)
    await env.stop("webhooks")
    await db.fetch("DELETE FROM delivery_attempt")
    await db.fetch("DELETE FROM delivery")
    return float(rate)


async def measure(env: Measured) -> list[Row]:
    await db.open_pool(2)
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"
    at_once = settings().webhook_concurrency
    body = publish.payload(new_id(), True, _event(new_id())).encode()
    floor = await _bare(url, body, at_once)
    one, many = await _rate(env, url, 1), await _rate(env, url, ENDPOINTS)
    server.close()
    await db.close_pool()
    against = f"bare posts, {at_once} at once"
    return [
        Row("webhooks to one endpoint", one, "/s", floor, against, at_least=100, ratio=one / floor),
        Row(f"webhooks to {ENDPOINTS} endpoints", many, "/s", floor, against, ratio=many / floor),
    ]
