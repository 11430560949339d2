"""Deliveries: each event's way to an endpoint, with every attempt."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.core.ids import parse_id
from app.merchants.api_keys import Caller
from app.web.api import answers, authentication, posting, query_parameters
from app.web.api.orders import Nothing
from app.web.kernel.render import iso
from app.webhooks import queries, service
from app.webhooks.events import TEST, TYPES
from app.webhooks.service import NoSuchDelivery
from app.webhooks.states import DeliveryStatus

Req = Request[Any, Any, Any]
FILTERS = ("status", "type", "endpoint_id", "event_id", "object_id", "order_id", "created_from", "created_to")
WORDS = {"status": tuple(DeliveryStatus), "type": (*TYPES, TEST)}


def seen(row: Mapping[str, Any]) -> dict[str, Any]:
    """A delivery as its merchant sees it."""
    return {
        "id": str(row["id"]), "object": "delivery", "mode": "test" if row["test"] else "live",
        "endpoint_id": str(row["endpoint_id"]), "event_id": str(row["event_id"]), "type": row["type"],
        "object_id": str(row["object_id"]), "status": row["status"], "attempts": row["tries"],
        "last_attempt": _time(row["last_at"]), "last_status": row["answered"], "last_outcome": row["outcome"],
        "next_attempt": _time(row["next_at"]), "created": iso(row["created_at"]), "ended": _time(row["ended_at"]),
    }  # fmt: skip


def _attempt(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "number": row["number"], "at": iso(row["at"]), "ms": row["ms"], "outcome": row["outcome"],
        "status": row["status"], "address": row["address"], "headers": row["headers"], "response": row["response"],
        "error": row["error"],
    }  # fmt: skip


def _time(at: datetime | None) -> str | None:
    return iso(at) if at else None


async def find(caller: Caller, delivery_id: str) -> dict[str, Any]:
    """Raises NoSuchDelivery, for anybody else's and for unknown ones alike."""
    found = parse_id(delivery_id)
    row = await queries.delivery(found, caller.merchant_id, caller.test) if found else None
    if row is None:
        raise NoSuchDelivery("Check the id, and whether it belongs to this key's mode.")
    return row


@get("/webhooks/deliveries", summary="List deliveries", tags=["webhooks"])
async def index(request: Req) -> Response[bytes]:
    """The newest first."""
    caller = await authentication.authenticate(request, "webhooks:read")
    given = query_parameters.parameters(request, *FILTERS, "after", "limit")
    before, most = query_parameters.page(given)
    chosen = query_parameters.filters(given, words=WORDS)
    chosen |= {"since": chosen.pop("created_from", None), "until": chosen.pop("created_to", None)}
    rows = await queries.deliveries(caller.merchant_id, caller.test, chosen, before, most + 1)
    return answers.answer(request, query_parameters.listed(rows, most, [seen(row) for row in rows]))


@get("/webhooks/deliveries/{delivery_id:str}", summary="Retrieve a delivery", tags=["webhooks"])
async def show(request: Req, delivery_id: FromPath[str]) -> Response[bytes]:
    """With the body that is sent, and all attempts."""
    caller = await authentication.authenticate(request, "webhooks:read")
    query_parameters.parameters(request)
    row = await find(caller, delivery_id)
    tried = [_attempt(attempt) for attempt in await queries.attempts(row["id"])]
    payload = msgspec.json.decode(row["payload"])
    return answers.answer(request, seen(row) | {"payload": payload, "log": tried})


@post(
    "/webhooks/deliveries/{delivery_id:str}/retry", summary="Send a delivery again", tags=["webhooks"], status_code=202
)
async def retry(request: Req, delivery_id: FromPath[str]) -> Response[bytes]:
    """Whatever became of it, also a delivered one that your receiver lost. The event keeps its id; the log is kept."""

    async def work(caller: Caller, _: Nothing) -> tuple[int, Mapping[str, Any]]:
        found = await find(caller, delivery_id)
        await service.resend(found["id"], caller.merchant_id, test=caller.test)
        return 202, seen(await find(caller, delivery_id))

    return await posting.act(request, "webhooks:write", Nothing, work)
