"""A page for each event that merchants are sent: when, what to do, what is in it, and its JSON Schema."""

import json
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from app.contract import json_schema
from app.contract.event_guide import EVENTS, OBJECTS, EventType
from app.core.errors import NotFound
from app.web.kernel.render import page
from app.web.manual.navigation import sections

Req = Request[Any, Any, Any]


class NoSuchEvent(NotFound):
    title = "There is no such event"


@get("/docs/events", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    return page(request, "manual/events.html", {"events": EVENTS.values(), "sections": sections()})


@get("/docs/events/{name:str}", include_in_schema=False)
async def show(request: Req, name: FromPath[str]) -> Response[bytes]:
    event = _find(name)
    context = {
        "event": event,
        "sections": sections(),
        "envelope": json_schema.envelope(),
        "members": json_schema.members_of(OBJECTS[event.about]),
        "example": json.dumps(event.payload, indent=2, ensure_ascii=False),
    }
    return page(request, "manual/event.html", context)


@get("/docs/events/{name:str}/schema.json", include_in_schema=False)
async def schema(name: FromPath[str]) -> Response[bytes]:
    """The payload in JSON Schema."""
    body = json.dumps(json_schema.of_event(_find(name)), indent=2, ensure_ascii=False).encode()
    return Response(body, media_type="application/schema+json", headers={"cache-control": "no-store"})


def _find(name: str) -> EventType:
    if name not in EVENTS:
        raise NoSuchEvent("All events are listed at /docs/events.")
    return EVENTS[name]
