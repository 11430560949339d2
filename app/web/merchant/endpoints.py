"""Webhook endpoints: adding one and showing its secret once, and all that can be done with it."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.params import FromPath
from msgspec.structs import asdict

from app.contract.event_types import TYPES
from app.core import clock
from app.core.errors import Invalid, Problem
from app.core.i18n import N_, _
from app.web.kernel.render import see_other
from app.web.merchant import context as contexts
from app.web.merchant.context import MerchantContext, NothingHere
from app.webhooks import queries, service
from app.webhooks.models import Endpoint, Secrets
from app.webhooks.service import BadEndpoint, Span, TooManyEndpoints

Req = Request[Any, Any, Any]
OVERLAPS = {"0": N_("at once"), "1": N_("in 1 hour"), "24": N_("in 24 hours"), "168": N_("in 7 days")}  # hours
SINCE = {
    "1": N_("the last hour"),
    "24": N_("the last day"),
    "168": N_("the last 7 days"),
    "720": N_("the last 30 days"),
}  # hours


class BadTime(Invalid):
    title = "That time can't be used"


class TypedEndpoint(msgspec.Struct, frozen=True):
    """What was typed into the form."""

    url: str
    name: str
    types: list[str]


@get("/merchant/endpoints", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    return await _list(request, contexts.current(request))


async def _list(
    request: Req, ctx: MerchantContext, *, typed: TypedEndpoint | None = None, error: Problem | None = None
) -> Response[bytes]:
    context = {
        "endpoints": [_public(row) for row in await queries.endpoints(ctx.id, ctx.test)],
        "types": TYPES,
        "values": typed or TypedEndpoint("", "", []),
        "errors": {error.field or "url": error.detail} if error else {},
    }
    return contexts.page(request, ctx, "merchant/endpoints/index.html", context, status=error.status if error else 200)


def _public(row: Endpoint) -> dict[str, object]:
    """An endpoint without its sealed secrets."""
    return {name: value for name, value in asdict(row).items() if name not in Secrets.__struct_fields__}


@post("/merchant/endpoints", include_in_schema=False, status_code=200)
async def create(request: Req) -> Response[bytes]:
    """Add an endpoint, and show its secret: in this answer and never again."""
    ctx, form = contexts.current(request), await request.form()
    typed = _typed(form)
    try:
        async with contexts.recorded(request, ctx, "endpoint.added", typed.url):
            row, secret = await service.add(ctx.id, test=ctx.test, **asdict(typed))
    except (BadEndpoint, TooManyEndpoints) as error:
        return await _list(request, ctx, typed=typed, error=error)
    return await _one(request, ctx, row, secret=secret)


def _typed(form: FormMultiDict) -> TypedEndpoint:
    types = [str(one)[:64] for one in form.getall("types", [])]
    return TypedEndpoint(contexts.text(form, "url", 2001), contexts.text(form, "name"), types)


@get("/merchant/endpoints/{endpoint_id:str}", include_in_schema=False)
async def show(request: Req, endpoint_id: FromPath[str]) -> Response[bytes]:
    ctx = contexts.current(request)
    return await _one(request, ctx, await _find(ctx, endpoint_id))


async def _find(ctx: MerchantContext, endpoint_id: str) -> Endpoint:
    row = await queries.endpoint(contexts.require_id(endpoint_id), ctx.id, ctx.test)
    if row is None:
        raise NothingHere
    return row


async def _one(
    request: Req,
    ctx: MerchantContext,
    row: Endpoint,
    *,
    secret: str = "",
    typed: TypedEndpoint | None = None,
    error: Problem | None = None,
) -> Response[bytes]:
    context = {
        "endpoint": _public(row),
        "secret": secret,
        "line": await queries.queue_lengths(row.id),
        "types": TYPES,
        "overlaps": {hours: _(words) for hours, words in OVERLAPS.items()},
        "since": {hours: _(words) for hours, words in SINCE.items()},
        "rotated": row.old_until if row.old_until and row.old_until > clock.now() else None,
        "values": typed or TypedEndpoint(row.url, row.name, row.types),
        "errors": {error.field or "url": error.detail} if error else {},
    }
    return contexts.page(request, ctx, "merchant/endpoints/show.html", context, status=error.status if error else 200)


@post("/merchant/endpoints/{endpoint_id:str}", include_in_schema=False, status_code=200)
async def update(request: Req, endpoint_id: FromPath[str]) -> Response[bytes]:
    """Change its URL, its name or the events it is sent."""
    ctx, form = contexts.current(request), await request.form()
    row, typed = await _find(ctx, endpoint_id), _typed(form)
    try:
        async with contexts.recorded(request, ctx, "endpoint.changed", f"{row.id} {typed.url}"):
            await service.change(row.id, ctx.id, test=ctx.test, **asdict(typed))
    except BadEndpoint as error:
        return await _one(request, ctx, row, typed=typed, error=error)
    return _back(row.id)


@post("/merchant/endpoints/{endpoint_id:str}/tests", include_in_schema=False, status_code=200)
async def try_out(request: Req, endpoint_id: FromPath[str]) -> Response[bytes]:
    """Send it an event that is about nothing but itself; its delivery is in the log."""
    row = await _have(request, endpoint_id, "endpoint.tested", service.send_test_event)
    return see_other(f"/merchant/deliveries?endpoint={row.id}")


@post("/merchant/endpoints/{endpoint_id:str}/rotations", include_in_schema=False, status_code=200)
async def rotate(request: Req, endpoint_id: FromPath[str]) -> Response[bytes]:
    """A new secret, shown in this answer; for the chosen hours requests are signed with both."""
    ctx, form = contexts.current(request), await request.form()
    row, hours = await _find(ctx, endpoint_id), contexts.text(form, "overlap")
    if hours not in OVERLAPS:
        raise BadTime("Choose one of the times listed.", field="overlap")
    async with contexts.recorded(request, ctx, "endpoint.rotated", f"{row.id} {row.url}"):
        secret = await service.rotate(row.id, ctx.id, timedelta(hours=int(hours)), test=ctx.test)
    return await _one(request, ctx, await _find(ctx, endpoint_id), secret=secret)


@post("/merchant/endpoints/{endpoint_id:str}/disablings", include_in_schema=False, status_code=200)
async def disable(request: Req, endpoint_id: FromPath[str]) -> Response[bytes]:
    """Send nothing any more; what happens waits."""
    row = await _have(request, endpoint_id, "endpoint.disabled", service.disable)
    return _back(row.id)


@post("/merchant/endpoints/{endpoint_id:str}/enablings", include_in_schema=False, status_code=200)
async def enable(request: Req, endpoint_id: FromPath[str]) -> Response[bytes]:
    """Send again, first of all what has waited."""
    row = await _have(request, endpoint_id, "endpoint.enabled", service.enable)
    return _back(row.id)


@post("/merchant/endpoints/{endpoint_id:str}/removals", include_in_schema=False, status_code=200)
async def remove(request: Req, endpoint_id: FromPath[str]) -> Response[bytes]:
    """For good; its log stays."""
    await _have(request, endpoint_id, "endpoint.removed", service.remove)
    return see_other("/merchant/endpoints")


@post("/merchant/endpoints/{endpoint_id:str}/resends", include_in_schema=False, status_code=200)
async def resend(request: Req, endpoint_id: FromPath[str]) -> Response[bytes]:
    """Send what failed again, with ``delivered`` all: since ``from``, a time in UTC, else for the chosen hours."""
    ctx, form = contexts.current(request), await request.form()
    row = await _find(ctx, endpoint_id)
    try:
        span = Span(_since(form), _time(form, "to"), contexts.text(form, "delivered") == "yes")
    except BadTime as error:
        return await _one(request, ctx, row, error=error)
    what = "all ended" if span.delivered else "all failed"  # for the audit log, which is in English
    until = f" to {span.until:%Y-%m-%d %H:%M}" if span.until else ""
    said = f"{what} since {span.since:%Y-%m-%d %H:%M}{until} UTC at {row.id}"
    async with contexts.recorded(request, ctx, "delivery.retried", said):
        await service.resend_all(row.id, ctx.id, span, test=ctx.test)
    return see_other(f"/merchant/deliveries?endpoint={row.id}")


async def _have(request: Req, endpoint_id: str, kind: str, act: Callable[..., Awaitable[object]]) -> Endpoint:
    """Do to it what needs no more words than its id; the audit log is told as ``kind``. Returns its row from before."""
    ctx = contexts.current(request)
    row = await _find(ctx, endpoint_id)
    async with contexts.recorded(request, ctx, kind, f"{row.id} {row.url}"):
        await act(row.id, ctx.id, test=ctx.test)
    return row


def _since(form: FormMultiDict) -> datetime:
    hours = contexts.text(form, "hours")
    if (typed := _time(form, "from")) is not None:
        return typed
    if hours not in SINCE:
        raise BadTime("Choose one of the times listed, or enter one.", field="from")
    return clock.now() - timedelta(hours=int(hours))


def _time(form: FormMultiDict, name: str) -> datetime | None:
    """A time of the form, in UTC. Raises BadTime."""
    if not (typed := contexts.text(form, name)):
        return None
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=UTC)
    except ValueError:
        raise BadTime("Write the time as 2026-11-21T14:30, in UTC.", field=name) from None


def _back(endpoint_id: UUID) -> Response[bytes]:
    return see_other(f"/merchant/endpoints/{endpoint_id}")
