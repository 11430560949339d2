"""The feed of events: to catch up with what webhooks did not bring."""

from typing import Any

import msgspec
from litestar import Request, Response, get

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
    data = [msgspec.json.decode(row["payload"]) | {"number": row["number"]} for row in rows[:most]]
    last = data[-1]["number"] if data else after
    return answers.answer(request, {"data": data, "next": last, "more": len(rows) > most})
