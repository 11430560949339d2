"""The feed of events: to catch up with what webhooks did not bring."""

from typing import Any, cast

import msgspec
from litestar import Request, get

from app.contract.event import NumberedEvent
from app.contract.page import Events
from app.web.api import authentication, query_parameters
from app.web.api.declared import needs
from app.webhooks import queries

Req = Request[Any, Any, Any]
LAST = 2**63 - 1
AFTER = {
    "after": (
        "The number of the last event you have: the `next` of the answer before.",
        {"type": "integer", "minimum": 0, "maximum": LAST, "default": 0},
    )
}


@get(
    "/events", operation_id="list_events", summary="Read the feed of events", tags=["events"],
    opt=needs("events:read", query=("after", "limit"), parameters=AFTER),
)  # fmt: skip
async def index(request: Req) -> Events:
    """Events after a number, oldest first, of the last 30 days. Ask again with `next` as `after`, for ever.

    `sequence` counts the events of one object, `number` those of the whole feed; both without gaps.
    """
    caller = authentication.caller(request)
    given = query_parameters.parameters(request)
    after, most = query_parameters.whole(given, "after", 0, 0, LAST), query_parameters.limit(given)
    rows = await queries.feed(caller.merchant_id, caller.test, after, most + 1)
    # What was sent stays as it was sent: it is not brought into the shape that events have today.
    told = [msgspec.json.decode(row.payload) | {"number": row.number} for row in rows[:most]]
    last = told[-1]["number"] if told else after
    return Events(data=cast(list[NumberedEvent], told), next=last, more=len(rows) > most)
