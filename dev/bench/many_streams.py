"""10,000 open order pages on one web process, in open loop: what happens comes by the clock, whether or not the last
was seen, so a process that stands still is seen to. Push: commit → client. Pages: from when each was due."""

import asyncio
import random
import resource
import time
from functools import partial
from uuid import UUID

import httpx

from dev.bench.environment import Measured
from dev.bench.live import _Page, _place
from dev.bench.report import Row

ORDERS, TABS = 2000, 5
AT_ONCE = 200  # pages opened together: more of them wait for a database connection too long, and are answered 503
FILES = 1000  # that a process needs beside its streams
SECONDS, PUSHES, PAGES = 60, 4, 5  # for so long; of each so many a second, far from what the process can do
PATIENCE = 10.0  # seconds after which what was not seen counts as lost


async def measure(env: Measured) -> list[Row]:
    from app.core import db  # noqa: PLC0415 - its settings come from the environment

    tabs = min(TABS, (_files() - FILES) // ORDERS)
    await env.start_web()
    await db.open_pool(2)
    placed = await _place(ORDERS)
    seen: dict[UUID, float] = {}
    pages = await _opened(env, placed, tabs, seen)
    await asyncio.sleep(3)
    pushes, answers = await asyncio.gather(_pushed(placed, seen), _asked(env))
    await db.close_pool()
    for page in pages:
        page.transport.close()
    await env.stop("web")
    return [
        Row(f"{ORDERS * tabs} open pages, push p50", _share(pushes, 0.5), "ms"),
        Row(f"{ORDERS * tabs} open pages, push p99", _share(pushes, 0.99), "ms", limit=100),
        Row("Other pages meanwhile, p50", _share(answers, 0.5), "ms"),
        Row("Other pages meanwhile, p99", _share(answers, 0.99), "ms", limit=100),
    ]


def _files() -> int:
    """How many this process may open, after asking for as many as it is allowed."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most if most != resource.RLIM_INFINITY else 1_000_000


async def _opened(env: Measured, placed: list[tuple[UUID, str]], tabs: int, seen: dict[UUID, float]) -> list[_Page]:
    loop, pages, waiting = asyncio.get_running_loop(), list[_Page](), list[asyncio.Event]()
    for _ in range(tabs):
        for order, token in placed:
            ask = (
                f"GET /orders/{order}/events?after=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                "Accept: text/html, text/event-stream\r\nHX-Request: true\r\n\r\n"
            ).encode()
            opened = asyncio.Event()
            _, page = await loop.create_connection(partial(_Page, order, ask, seen, opened), "127.0.0.1", env.port)
            pages.append(page)
            waiting.append(opened)
            if len(waiting) == AT_ONCE:
                await _all(waiting)
                waiting.clear()
    await _all(waiting)
    return pages


async def _all(waiting: list[asyncio.Event]) -> None:
    await asyncio.wait_for(asyncio.gather(*(opened.wait() for opened in waiting)), 120)


async def _pushed(placed: list[tuple[UUID, str]], seen: dict[UUID, float]) -> list[float]:
    """Milliseconds from each event's commit to the last of its order's pages."""
    from app.history import service as history  # noqa: PLC0415 - its settings come from the environment

    began, committed = time.perf_counter(), dict[UUID, float]()
    for number, (order, _) in enumerate(random.sample(placed, SECONDS * PUSHES)):
        await asyncio.sleep(max(began + number / PUSHES - time.perf_counter(), 0))
        seen.pop(order, None)
        await history.record(order, "bench.tick")
        committed[order] = time.perf_counter()
    await asyncio.sleep(PATIENCE)
    return [(seen.get(order, at + PATIENCE) - at) * 1000 for order, at in committed.items()]


async def _asked(env: Measured) -> list[float]:
    """Milliseconds from when each page was due to its answer."""

    async def one(http: httpx.AsyncClient, due: float) -> float:
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        (await http.get("/")).raise_for_status()
        return (time.perf_counter() - due) * 1000

    began = time.perf_counter()
    async with httpx.AsyncClient(base_url=env.url, timeout=PATIENCE) as http:
        return list(await asyncio.gather(*(one(http, began + n / PAGES) for n in range(SECONDS * PAGES))))


def _share(figures: list[float], share: float) -> float:
    return sorted(figures)[int((len(figures) - 1) * share)]
