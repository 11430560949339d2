"""The order's event stream (WHATWG server-sent events)."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, get
from litestar.response import Stream

from app.core import metrics
from app.core.event_hub import EventHub
from app.history import queries as history
from app.history.models import Event
from app.orders import queries as orders
from app.web.kernel import guards, streams
from app.web.kernel.render import fragment, iso
from app.web.store import order_view

HEARTBEAT = 15.0  # seconds; hosts such as Heroku close a silent stream after 55, some proxies after 30
FINAL = {"fulfilled", "refunded", "cancelled"}
Req = Request[Any, Any, Any]


@get("/orders/{order_id:str}/events", summary="Live events of an order", tags=["shop"])
async def events(request: Req) -> Stream:
    """Server-sent events after `?after=` (or Last-Event-ID, whichever is newer).

    Pages get the re-rendered status as HTML; other clients each event as JSON `{seq, kind, at, data}`.
    """
    order = guards.order_of(request)
    given = (request.query_params.get("after"), request.headers.get("last-event-id"))
    after = max(seq(value) for value in given)
    event_hub: EventHub = request.app.state.event_hub
    as_html = "text/html" in request.headers.get("accept", "")
    feed = _pages(request, event_hub, order.id, after) if as_html else _lines(event_hub, order.id, after)
    return Stream(
        streams.capped(streams.of_viewer(request, order.id), feed),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


def seq(text: Any) -> int:
    value = str(text or "0")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


async def news_of(event_hub: EventHub, order_id: UUID, after: int) -> AsyncIterator[list[Event]]:
    """The events after ``after``, as they come; an empty list for a heartbeat."""
    with metrics.STREAMS.track_inprogress():
        async with event_hub.listening(order_id) as event:
            while not event_hub.closing:
                event.clear()
                found = await history.timeline(order_id, after=after)
                after = found[-1].seq if found else after
                event_hub.mark_sent(order_id, after)
                if found:
                    yield found
                if any(event.kind == "order.email_changed" for event in found):
                    return  # whoever listens asks again, and may not be let in any more
                try:
                    await asyncio.wait_for(event.wait(), HEARTBEAT)
                except TimeoutError:
                    yield []


async def _pages(request: Req, event_hub: EventHub, order_id: UUID, after: int) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    async for news in news_of(event_hub, order_id, after):
        if not news:
            yield ": still here\n\n"
            continue
        order = await orders.one(order_id)
        assert order is not None
        view = await order_view.build(order)
        html = fragment(request, "store/orders/_status.html", {"order": view})
        yield f"id: {view.seq}\n" + "".join(f"data: {line}\n" for line in html.splitlines()) + "\n"


async def _lines(event_hub: EventHub, order_id: UUID, after: int) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    async for news in news_of(event_hub, order_id, after):
        for event in news:
            said = {**msgspec.structs.asdict(event), "at": iso(event.at)}
            yield f"id: {event.seq}\nevent: {event.kind}\ndata: {json.dumps(said)}\n\n"
        if not news:
            yield ": still here\n\n"
