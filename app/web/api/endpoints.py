"""Webhook endpoints: where events are sent to."""

import uuid
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, delete, get, patch, post
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from app.contract.endpoint import (
    DeliveriesRetried,
    Endpoint,
    EndpointRemoved,
    EndpointWithSecret,
    TestEventSent,
)
from app.contract.event_types import TYPES
from app.contract.page import Endpoints
from app.core import db
from app.core.ids import parse_id
from app.merchants.api_keys import Caller
from app.web.api import authentication, bodies, posting, query_parameters
from app.web.api.bodies import Body, UnusableValue
from app.web.api.declared import needs
from app.web.api.orders import Nothing
from app.webhooks import queries, service
from app.webhooks.service import (
    BadEndpoint,
    EndpointDisabled,
    NoSuchEndpoint,
    Span,
    TooManyEndpoints,
    TooManySecrets,
)

Req = Request[Any, Any, Any]
DAY = 86400  # seconds
Url = Annotated[
    str,
    Meta(
        min_length=8, max_length=2000, pattern=bodies.PRINTABLE, examples=["https://shop.example.com/hooks/bitloot"],
        description="An https URL of a public host; in test mode also http to localhost.",
    ),
]  # fmt: skip
Name = Annotated[str, Meta(max_length=100, pattern=bodies.EMPTY_OR_PRINTABLE, examples=["Order desk"])]
Types = Annotated[
    list[Literal[TYPES]],  # type: ignore[valid-type]
    Meta(
        max_length=len(TYPES), description="The events it receives; all, if none are given.", examples=[["order.paid"]]
    ),
]
Since = Annotated[datetime, Meta(tz=True, examples=["2026-11-21T00:00:00Z"])]


class EndpointRequest(Body):
    url: Url
    name: Name = ""
    types: Types = msgspec.field(default_factory=list)

    def plainly(self) -> Body:
        return msgspec.structs.replace(self, types=sorted(set(self.types)), name=self.name.strip())


class EndpointChange(Body):
    """What is left out stays. A disabled endpoint is sent nothing; what happens is kept for it."""

    url: Url | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    types: Types | UnsetType = UNSET
    disabled: bool | UnsetType = UNSET


class RotationRequest(Body):
    """For `overlap` seconds requests are signed with the old secret, too."""

    overlap: Annotated[int, Meta(ge=0, le=7 * DAY, examples=[DAY])] = DAY


class RetriesRequest(Body):
    """What failed of what happened since then, and before `until`, is sent again. With `delivered` also what was
    delivered: for a receiver that lost data."""

    since: Since
    until: Since | None = None
    delivered: bool = False

    def check(self) -> None:
        if self.until is not None and self.until <= self.since:
            raise UnusableValue("Send an until that is later than since.", field="until")


async def find(caller: Caller, endpoint_id: str) -> uuid.UUID:
    """Raises NoSuchEndpoint, for anybody else's and for unknown ones alike."""
    found = parse_id(endpoint_id)
    if found is None or await queries.endpoint(found, caller.merchant_id, caller.test) is None:
        raise NoSuchEndpoint("Check the id, and whether it belongs to this key's mode.")
    return found


async def create_one(caller: Caller, asked: EndpointRequest) -> EndpointWithSecret:
    row, secret = await service.add(
        caller.merchant_id, test=caller.test, url=asked.url, name=asked.name, types=asked.types
    )
    return EndpointWithSecret.from_row(row, secret=secret)


@post(
    "/webhooks/endpoints", operation_id="create_endpoint", summary="Create a webhook endpoint", tags=["webhooks"],
    status_code=201,
    opt=needs(
        "webhooks:write", body=EndpointRequest, refusals=(BadEndpoint, TooManyEndpoints),
        bodies={"All events": {"url": "https://shop.example.com/hooks/bitloot", "name": "Order desk"}},
    ),
)  # fmt: skip
async def create(request: Req) -> Response[EndpointWithSecret]:
    """The answer has the secret that its requests are signed with. It is not shown again."""
    return await posting.act(request, create_one)


@get(
    "/webhooks/endpoints", operation_id="list_endpoints", summary="List webhook endpoints", tags=["webhooks"],
    opt=needs("webhooks:read"),
)  # fmt: skip
async def index(request: Req) -> Endpoints:
    """All there are, the oldest first."""
    caller = authentication.caller(request)
    rows = await queries.endpoints(caller.merchant_id, caller.test)
    return Endpoints(data=[Endpoint.from_row(row) for row in rows])


@get(
    "/webhooks/endpoints/{endpoint_id:str}", operation_id="get_endpoint", summary="Retrieve a webhook endpoint",
    tags=["webhooks"], opt=needs("webhooks:read", refusals=(NoSuchEndpoint,)),
)  # fmt: skip
async def show(request: Req, endpoint_id: FromPath[str]) -> Endpoint:
    """One endpoint, by its id."""
    caller = authentication.caller(request)
    row = await service.find(await find(caller, endpoint_id), caller.merchant_id, test=caller.test)
    return Endpoint.from_row(row)


@patch(
    "/webhooks/endpoints/{endpoint_id:str}", operation_id="change_endpoint", summary="Change a webhook endpoint",
    tags=["webhooks"],
    opt=needs(
        "webhooks:write", body=EndpointChange, needed=True, refusals=(NoSuchEndpoint, BadEndpoint),
        bodies={"Payments only": {"types": ["payment.success", "payment.failed"]}, "Disable": {"disabled": True}},
    ),
)  # fmt: skip
async def update(request: Req, endpoint_id: FromPath[str]) -> Endpoint:
    """Change what is given, disable or enable."""
    caller = authentication.caller(request)
    asked: EndpointChange = bodies.read(request, await request.body())
    found, whose = await find(caller, endpoint_id), caller.merchant_id
    given = {name: getattr(asked, name) for name in ("url", "name", "types")}
    async with db.transaction():
        row = await service.change(
            found, whose, test=caller.test, **{name: value for name, value in given.items() if value is not UNSET}
        )
        if asked.disabled is True:
            row = await service.disable(found, whose, test=caller.test)
        elif asked.disabled is False:
            row = await service.enable(found, whose, test=caller.test)
    return Endpoint.from_row(row)


@delete(
    "/webhooks/endpoints/{endpoint_id:str}", operation_id="remove_endpoint", summary="Remove a webhook endpoint",
    tags=["webhooks"], status_code=200, opt=needs("webhooks:write", refusals=(NoSuchEndpoint,)),
)  # fmt: skip
async def destroy(request: Req, endpoint_id: FromPath[str]) -> EndpointRemoved:
    """For good: what was in line for it is given up."""
    caller = authentication.caller(request)
    found = await find(caller, endpoint_id)
    await service.remove(found, caller.merchant_id, test=caller.test)
    return EndpointRemoved(id=found, object="endpoint", deleted=True)


@post(
    "/webhooks/endpoints/{endpoint_id:str}/rotate", operation_id="rotate_endpoint_secret",
    summary="Rotate an endpoint's secret", tags=["webhooks"], status_code=200,
    opt=needs(
        "webhooks:write", body=RotationRequest, bodies={"A day of overlap": {"overlap": DAY}},
        refusals=(NoSuchEndpoint, TooManySecrets),
    ),
)  # fmt: skip
async def rotate(request: Req, endpoint_id: FromPath[str]) -> Response[EndpointWithSecret]:
    """The answer has the new secret. It is not shown again."""

    async def work(caller: Caller, asked: RotationRequest) -> EndpointWithSecret:
        found, overlap = await find(caller, endpoint_id), timedelta(seconds=asked.overlap)
        secret = await service.rotate(found, caller.merchant_id, overlap, test=caller.test)
        row = await service.find(found, caller.merchant_id, test=caller.test)
        return EndpointWithSecret.from_row(row, secret=secret)

    return await posting.act(request, work)


@post(
    "/webhooks/endpoints/{endpoint_id:str}/test", operation_id="send_test_event", summary="Send a test event",
    tags=["webhooks"], status_code=202,
    opt=needs("webhooks:write", body=Nothing, refusals=(NoSuchEndpoint, EndpointDisabled)),
)  # fmt: skip
async def test(request: Req, endpoint_id: FromPath[str]) -> Response[TestEventSent]:
    """An event of type `endpoint.test`, to this endpoint alone."""

    async def work(caller: Caller, _: Nothing) -> TestEventSent:
        found = await find(caller, endpoint_id)
        event = await service.send_test_event(found, caller.merchant_id, test=caller.test)
        return TestEventSent(event_id=event, endpoint_id=found)

    return await posting.act(request, work)


@post(
    "/webhooks/endpoints/{endpoint_id:str}/retries", operation_id="retry_failed_deliveries",
    summary="Send deliveries of a time again", tags=["webhooks"], status_code=202,
    opt=needs(
        "webhooks:write", body=RetriesRequest, refusals=(NoSuchEndpoint, UnusableValue),
        bodies={
            "What failed since this morning": {"since": "2026-11-21T00:00:00Z"},
            "All of one hour": {"since": "2026-11-21T08:00:00Z", "until": "2026-11-21T09:00:00Z", "delivered": True},
        },
    ),
)  # fmt: skip
async def retries(request: Req, endpoint_id: FromPath[str]) -> Response[DeliveriesRetried]:
    """Of the events of a time, the oldest first, 5000 at most: where `retried` is that many, ask again for the rest."""

    async def work(caller: Caller, asked: RetriesRequest) -> DeliveriesRetried:
        until = query_parameters.storable(asked.until) if asked.until else None
        span = Span(query_parameters.storable(asked.since), until, asked.delivered)
        found = await find(caller, endpoint_id)
        count = await service.resend_all(found, caller.merchant_id, span, test=caller.test)
        return DeliveriesRetried(endpoint_id=found, retried=count)

    return await posting.act(request, work)
