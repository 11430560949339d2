"""The frame's stream: a line for each event of its order. What it means, the frame asks ``/embed/checkout/status``."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from litestar import Request, get
from litestar.response import Stream

from app.core.event_hub import EventHub
from app.web.embed import checkout_session
from app.web.kernel import streams
from app.web.store import live

Req = Request[Any, Any, Any]


@get("/embed/events", include_in_schema=False)
async def events(request: Req) -> Stream:
    """Server-sent events by the page's `?token=`. Raises CheckoutOver."""
    found = await checkout_session.by_token(request.query_params.get("token", ""))
    after = live.seq(request.headers.get("last-event-id"))
    return Stream(
        streams.capped(
            streams.of_viewer(request, found.order.id), _bell(request.app.state.event_hub, found.order.id, after)
        ),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _bell(event_hub: EventHub, order_id: UUID, after: int) -> AsyncIterator[str]:
    yield "retry: 1000\n\n"
    async for news in live.news_of(event_hub, order_id, after):
        yield f"id: {news[-1].seq}\ndata: moved\n\n" if news else ": still here\n\n"
