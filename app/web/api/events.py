"""The feed of events: to catch up with what webhooks did not bring."""

from typing import Any, cast

import msgspec
from litestar import Request, Response, get

from app.contract.event import NumberedEvent
from app.contract.page import Events
from app.web.api import answers, authentication, query_parameters
from app.webhooks import queries

Req = Request[Any, Any, Any]
LAST = 2**63 - 1


@get("/events", summary="Read the feed of events", tags=["events"])
async def index(request: Req) -> Response[bytes]:
    """Events after a number, oldest first, of the last 30 days. Ask again with `next` as `after`, for ever.

    `sequence` counts the events of one object, `number` those of the whole feed; both without gaps.
    """
    caller = await authentication.authenticate(request, "events:read")
    given = query_parameters.parameters(request, "after", "limit")
    after, most = query_parameters.whole(given, "after", 0, 0, LAST), query_parameters.limit(given)
    rows = await queries.feed(caller.merchant_id, caller.test, after, most + 1)
    # What was sent stays as it was sent: it is not brought into the shape that events have today.
    told = [msgspec.json.decode(row["payload"]) | {"number": row["number"]} for row in rows[:most]]
    last = told[-1]["number"] if told else after
    return answers.answer(request, Events(data=cast(list[NumberedEvent], told), next=last, more=len(rows) > most))
