"""The delivery log: every event's way to every endpoint, each attempt of it, its payload, and sending it again."""

import json
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.contract.event_types import TEST, TYPES
from app.core.ids import parse_id
from app.core.structs import extend
from app.orders.service import short
from app.web.kernel.render import see_other
from app.web.merchant import context as contexts
from app.web.merchant import filters
from app.web.merchant.context import PAGE, MerchantContext, NothingHere
from app.webhooks import queries, service
from app.webhooks.models import Delivery
from app.webhooks.states import DeliveryStatus

Req = Request[Any, Any, Any]
STATUSES = tuple(status.value for status in DeliveryStatus)
KINDS = (*TYPES, TEST)


class ShownDelivery(Delivery, frozen=True):
    """A delivery as the pages show it: what it is about, and that thing's page."""

    about: str
    href: str


@get("/merchant/deliveries", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    """``?status=&type=&endpoint=&q=``: ``q`` is the id of an order, payment, refund or event."""
    ctx = contexts.current(request)
    asked = {
        "status": filters.one_of(request, "status", STATUSES),
        "type": filters.one_of(request, "type", KINDS),
        "endpoint": parse_id(filters.given(request, "endpoint")),
        "q": filters.given(request, "q"),
    }
    rows = await _found(ctx, asked, request)
    endpoints = await queries.endpoints(ctx.id, ctx.test)
    context = filters.page("/merchant/deliveries", rows, asked)
    context |= asked | {
        "statuses": STATUSES,
        "types": KINDS,
        "endpoints": [(row.id, row.name or row.url) for row in endpoints],
    }
    return contexts.page(
        request, ctx, "merchant/deliveries/index.html", context, partial="merchant/deliveries/_rows.html"
    )


async def _found(ctx: MerchantContext, asked: Mapping[str, object], request: Req) -> list[ShownDelivery]:
    chosen = {"status": asked["status"], "type": asked["type"], "endpoint_id": asked["endpoint"]}
    if not asked["q"]:
        return [
            _shown(r) for r in await queries.deliveries(ctx.id, ctx.test, chosen, filters.before(request), PAGE + 1)
        ]
    about = parse_id(str(asked["q"]))
    for name in ("order_id", "object_id", "event_id") if about else ():
        named = chosen | {name: about}
        if rows := await queries.deliveries(ctx.id, ctx.test, named, filters.before(request), PAGE + 1):
            return [_shown(row) for row in rows]
    return []


def _shown(row: Delivery) -> ShownDelivery:
    return extend(ShownDelivery, row, about=short(row.object_id), href=_object(row))


def _object(row: Delivery) -> str:
    """The page of what an event is about."""
    part = row.object if row.object in {"order", "payment", "refund", "endpoint"} else "endpoint"
    return f"/merchant/{part}s/{row.object_id}"


@get("/merchant/deliveries/{delivery_id:str}", include_in_schema=False)
async def show(request: Req, delivery_id: FromPath[str]) -> Response[bytes]:
    ctx = contexts.current(request)
    row = await _find(ctx, delivery_id)
    context = {
        "delivery": _shown(row),
        "payload": json.dumps(json.loads(row.payload), indent=2, ensure_ascii=False),
        "attempts": list(reversed(await queries.attempts(row.id))),
    }
    return contexts.page(request, ctx, "merchant/deliveries/show.html", context)


async def _find(ctx: MerchantContext, delivery_id: str) -> Delivery:
    row = await queries.delivery(contexts.require_id(delivery_id), ctx.id, ctx.test)
    if row is None:
        raise NothingHere
    return row


@post("/merchant/deliveries/{delivery_id:str}/retries", include_in_schema=False, status_code=200)
async def retry(request: Req, delivery_id: FromPath[str]) -> Response[bytes]:
    """Send it again, whatever became of it."""
    ctx = contexts.current(request)
    row = await _find(ctx, delivery_id)
    async with contexts.recorded(request, ctx, "delivery.retried", f"{row.type} {row.id} to {row.url}"):
        await service.resend(row.id, ctx.id, test=ctx.test)
    return see_other(f"/merchant/deliveries/{row.id}")
