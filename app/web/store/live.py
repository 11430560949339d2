"""The order's event stream (WHATWG server-sent events)."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from litestar import Request, get
from litestar.params import FromPath
from litestar.response import Stream

from app.core import metrics
from app.core.live import Newsroom
from app.history import queries as history
from app.orders import queries as orders
from app.web import guards, streams
from app.web.render import fragment, iso
from app.web.store import order_view

HEARTBEAT = 15.0  # seconds; hosts such as Heroku close a silent stream after 55, some proxies after 30
FINAL = {"fulfilled", "refunded", "cancelled"}
Asked = Request[Any, Any, Any]


@get("/orders/{order_id:str}/events", summary="Live events of an order", tags=["shop"])
async def events(request: Asked, order_id: FromPath[str]) -> Stream:
    """Server-sent events after `?after=` (or Last-Event-ID, whichever is newer).

    Pages get the re-rendered status as HTML; other clients each event as JSON `{seq, kind, at, data}`.
    """
    order = await guards.own_order(request, order_id)
    given = (request.query_params.get("after"), request.headers.get("last-event-id"))
    after = max(seq(value) for value in given)
    newsroom: Newsroom = request.app.state.newsroom
    as_html = "text/html" in request.headers.get("accept", "")
    feed = _pages(request, newsroom, order["id"], after) if as_html else _lines(newsroom, order["id"], after)
    return Stream(
        streams.capped(streams.of_viewer(request, order["id"]), feed),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


def seq(text: Any) -> int:
    value = str(text or "0")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


async def news_of(newsroom: Newsroom, order_id: UUID, after: int) -> AsyncIterator[list[dict[str, Any]]]:
    """The events after ``after``, as they come; an empty list for a heartbeat."""
    with metrics.STREAMS.track_inprogress():
        async with newsroom.listening(order_id) as bell:
            while not newsroom.closing:
                bell.clear()
                found = await history.timeline(order_id, after=after)
                after = found[-1]["seq"] if found else after
                newsroom.told(order_id, after)
                if found:
                    yield found
                try:
                    await asyncio.wait_for(bell.wait(), HEARTBEAT)
                except TimeoutError:
                    yield []


async def _pages(request: Asked, newsroom: Newsroom, order_id: UUID, after: int) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    async for news in news_of(newsroom, order_id, after):
        if not news:
            yield ": still here\n\n"
            continue
        order = await orders.one(order_id)
        assert order is not None
        view = await order_view.build(order)
        html = fragment(request, "store/orders/_status.html", {"order": view})
        yield f"id: {view['seq']}\n" + "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"


async def _lines(newsroom: Newsroom, order_id: UUID, after: int) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    async for news in news_of(newsroom, order_id, after):
        for event in news:
            said = {**event, "at": iso(event["at"])}
            yield f"id: {event['seq']}\nevent: {event['kind']}\ndata: {json.dumps(said)}\n\n"
        if not news:
            yield ": still here\n\n"
