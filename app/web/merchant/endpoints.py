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
from app.web.merchant import context as desks
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
    return await _list(request, desks.current(request))


async def _list(
    request: Req, desk: MerchantContext, *, typed: TypedEndpoint | None = None, error: Problem | None = None
) -> Response[bytes]:
    context = {
        "endpoints": [_public(row) for row in await queries.endpoints(desk.id, desk.test)],
        "types": TYPES,
        "values": typed or TypedEndpoint("", "", []),
        "errors": {error.field or "url": error.detail} if error else {},
    }
    return desks.page(request, desk, "merchant/endpoints/index.html", context, status=error.status if error else 200)


def _public(row: Endpoint) -> dict[str, object]:
    """An endpoint without its sealed secrets."""
    return {name: value for name, value in asdict(row).items() if name not in Secrets.__struct_fields__}


@post("/merchant/endpoints", include_in_schema=False, status_code=200)
async def create(request: Req) -> Response[bytes]:
    """Add an endpoint, and show its secret: in this answer and never again."""
    desk, form = desks.current(request), await request.form()
    typed = _typed(form)
    try:
        async with desks.recorded(request, desk, "endpoint.added", typed.url):
            row, secret = await service.add(desk.id, test=desk.test, **asdict(typed))
    except (BadEndpoint, TooManyEndpoints) as error:
        return await _list(request, desk, typed=typed, error=error)
    return await _one(request, desk, row, secret=secret)


def _typed(form: FormMultiDict) -> TypedEndpoint:
    types = [str(one)[:64] for one in form.getall("types", [])]
    return TypedEndpoint(desks.text(form, "url", 2001), desks.text(form, "name"), types)


@get("/merchant/endpoints/{endpoint_id:str}", include_in_schema=False)
async def show(request: Req, endpoint_id: FromPath[str]) -> Response[bytes]:
    desk = desks.current(request)
    return await _one(request, desk, await _find(desk, endpoint_id))


async def _find(desk: MerchantContext, endpoint_id: str) -> Endpoint:
    row = await queries.endpoint(desks.require_id(endpoint_id), desk.id, desk.test)
    if row is None:
        raise NothingHere
    return row


async def _one(
    request: Req,
    desk: MerchantContext,
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
    return desks.page(request, desk, "merchant/endpoints/show.html", context, status=error.status if error else 200)


@post("/merchant/endpoints/{endpoint_id:str}", include_in_schema=False, status_code=200)
async def update(request: Req, endpoint_id: FromPath[str]) -> Response[bytes]:
    """Change its URL, its name or the events it is sent."""
    desk, form = desks.current(request), await request.form()
    row, typed = await _find(desk, endpoint_id), _typed(form)
    try:
        async with desks.recorded(request, desk, "endpoint.changed", f"{row.id} {typed.url}"):
            await service.change(row.id, desk.id, test=desk.test, **asdict(typed))
    except BadEndpoint as error:
        return await _one(request, desk, row, typed=typed, error=error)
    return _back(row.id)


@post("/merchant/endpoints/{endpoint_id:str}/tests", include_in_schema=False, status_code=200)
async def try_out(request: Req, endpoint_id: FromPath[str]) -> Response[bytes]:
    """Send it an event that is about nothing but itself; its delivery is in the log."""
    row = await _have(request, endpoint_id, "endpoint.tested", service.send_test_event)
    return see_other(f"/merchant/deliveries?endpoint={row.id}")


@post("/merchant/endpoints/{endpoint_id:str}/rotations", include_in_schema=False, status_code=200)
async def rotate(request: Req, endpoint_id: FromPath[str]) -> Response[bytes]:
    """A new secret, shown in this answer; for the chosen hours requests are signed with both."""
    desk, form = desks.current(request), await request.form()
    row, hours = await _find(desk, endpoint_id), desks.text(form, "overlap")
    if hours not in OVERLAPS:
        raise BadTime("Choose one of the times listed.", field="overlap")
    async with desks.recorded(request, desk, "endpoint.rotated", f"{row.id} {row.url}"):
        secret = await service.rotate(row.id, desk.id, timedelta(hours=int(hours)), test=desk.test)
    return await _one(request, desk, await _find(desk, endpoint_id), secret=secret)


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
    desk, form = desks.current(request), await request.form()
    row = await _find(desk, endpoint_id)
    try:
        span = Span(_since(form), _time(form, "to"), desks.text(form, "delivered") == "yes")
    except BadTime as error:
        return await _one(request, desk, row, error=error)
    what = _("all that ended") if span.delivered else _("all that failed")
    until = f" to {span.until:%Y-%m-%d %H:%M}" if span.until else ""
    said = f"{what} since {span.since:%Y-%m-%d %H:%M}{until} UTC at {row.id}"
    async with desks.recorded(request, desk, "delivery.retried", said):
        await service.resend_all(row.id, desk.id, span, test=desk.test)
    return see_other(f"/merchant/deliveries?endpoint={row.id}")


async def _have(request: Req, endpoint_id: str, kind: str, act: Callable[..., Awaitable[object]]) -> Endpoint:
    """Do to it what needs no more words than its id; the audit log is told as ``kind``. Returns its row from before."""
    desk = desks.current(request)
    row = await _find(desk, endpoint_id)
    async with desks.recorded(request, desk, kind, f"{row.id} {row.url}"):
        await act(row.id, desk.id, test=desk.test)
    return row


def _since(form: FormMultiDict) -> datetime:
    hours = desks.text(form, "hours")
    if (typed := _time(form, "from")) is not None:
        return typed
    if hours not in SINCE:
        raise BadTime("Choose one of the times listed, or enter one.", field="from")
    return clock.now() - timedelta(hours=int(hours))


def _time(form: FormMultiDict, name: str) -> datetime | None:
    """A time of the form, in UTC. Raises BadTime."""
    if not (typed := desks.text(form, name)):
        return None
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=UTC)
    except ValueError:
        raise BadTime("Write the time as 2026-11-21T14:30, in UTC.", field=name) from None


def _back(endpoint_id: UUID) -> Response[bytes]:
    return see_other(f"/merchant/endpoints/{endpoint_id}")
