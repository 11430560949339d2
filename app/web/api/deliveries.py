"""Deliveries: each event's way to an endpoint, with every attempt."""

from typing import Any, cast

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.contract import examples
from app.contract.delivery import Attempt, Delivery, DeliveryWithLog
from app.contract.event import Event
from app.contract.event_types import TEST, TYPES
from app.contract.page import Deliveries
from app.core.ids import parse_id
from app.merchants.api_keys import Caller
from app.web.api import authentication, posting, query_parameters
from app.web.api.declared import PAGED, needs
from app.web.api.orders import Nothing
from app.webhooks import models, queries, service
from app.webhooks.service import DeliveryInLine, DeliveryUndeliverable, NoSuchDelivery
from app.webhooks.states import DeliveryStatus

Req = Request[Any, Any, Any]
FILTERS = ("status", "type", "endpoint_id", "event_id", "object_id", "order_id", "created_from", "created_to")
WORDS = {"status": tuple(DeliveryStatus), "type": (*TYPES, TEST)}


async def find(caller: Caller, delivery_id: str) -> models.Delivery:
    """Raises NoSuchDelivery, for anybody else's and for unknown ones alike."""
    found = parse_id(delivery_id)
    row = await queries.delivery(found, caller.merchant_id, caller.test) if found else None
    if row is None:
        raise NoSuchDelivery("Check the id, and whether it belongs to this key's mode.")
    return row


@get(
    "/webhooks/deliveries", operation_id="list_deliveries", summary="List deliveries", tags=["webhooks"],
    opt=needs("webhooks:read", query=(*FILTERS, *PAGED), words=WORDS),
)  # fmt: skip
async def index(request: Req) -> Deliveries:
    """The newest first."""
    caller = authentication.caller(request)
    given = query_parameters.parameters(request)
    before, most = query_parameters.page(given)
    chosen = query_parameters.filters(request, given)
    chosen |= {"since": chosen.pop("created_from", None), "until": chosen.pop("created_to", None)}
    rows = await queries.deliveries(caller.merchant_id, caller.test, chosen, before, most + 1)
    return query_parameters.listed(Deliveries, rows, most, Delivery.from_row)


@get(
    "/webhooks/deliveries/{delivery_id:str}", operation_id="get_delivery", summary="Retrieve a delivery",
    tags=["webhooks"], opt=needs("webhooks:read", refusals=(NoSuchDelivery,)),
)  # fmt: skip
async def show(request: Req, delivery_id: FromPath[str]) -> DeliveryWithLog:
    """With the body that is sent, and all attempts."""
    caller = authentication.caller(request)
    row = await find(caller, delivery_id)
    tried = [Attempt.from_row(attempt) for attempt in await queries.attempts(row.id)]
    payload = cast(Event, msgspec.json.decode(row.payload))  # what was sent stays as it was sent
    return DeliveryWithLog.from_row(row, payload=payload, log=tried)


@post(
    "/webhooks/deliveries/{delivery_id:str}/retry", operation_id="retry_delivery", summary="Send a delivery again",
    tags=["webhooks"], status_code=202,
    opt=needs(
        "webhooks:write", body=Nothing, refusals=(NoSuchDelivery, DeliveryInLine, DeliveryUndeliverable),
        answer=msgspec.structs.replace(examples.DELIVERY, status="pending"),
    ),
)  # fmt: skip
async def retry(request: Req, delivery_id: FromPath[str]) -> Response[Delivery]:
    """Whatever became of it, also a delivered one that your receiver lost. The event keeps its id; the log is kept."""

    async def work(caller: Caller, _: Nothing) -> Delivery:
        found = await find(caller, delivery_id)
        await service.resend(found.id, caller.merchant_id, test=caller.test)
        return Delivery.from_row(await find(caller, delivery_id))

    return await posting.act(request, work)
