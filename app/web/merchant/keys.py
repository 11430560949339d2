"""API keys: issued, rotated and revoked, the publishable key, and where the checkout may be embedded."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import Request, Response, get, post
from litestar.datastructures import FormMultiDict
from litestar.params import FromPath

from app.core import clock
from app.core.errors import Problem
from app.core.i18n import N_, _
from app.merchants import api_keys, queries, service
from app.merchants.api_keys import SCOPES, BadKey, Issued, TooManyKeys
from app.merchants.models import ApiKey
from app.web.kernel.render import see_other
from app.web.kernel.viewer import client_ip
from app.web.merchant import context as contexts
from app.web.merchant.context import MerchantContext

Req = Request[Any, Any, Any]
OVERLAPS = {
    "0": N_("at once"),
    "1": N_("in 1 hour"),
    "24": N_("in 24 hours"),
    "168": N_("in 7 days"),
}  # hours the old key goes on
EXPIRIES = {"": N_("Never"), "30": N_("In 30 days"), "90": N_("In 90 days"), "365": N_("In a year")}  # days


@get("/merchant/keys", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    return await _list(request, contexts.current(request))


async def _list(
    request: Req,
    ctx: MerchantContext,
    *,
    issued: Issued | None = None,
    typed: Mapping[str, object] | None = None,
    error: Problem | None = None,
) -> Response[bytes]:
    merchant = await queries.one(ctx.id)
    listed = await queries.keys(ctx.id, test=ctx.test)
    values = {
        "name": "",
        "scopes": list(SCOPES),
        "expires": "",
        "origins": "\n".join(merchant.origins if merchant else []),
    }
    context = {
        "keys": [key for key in listed if key.kind == "secret"],
        "publishable": await api_keys.publishable(ctx.id, test=ctx.test),
        "issued": issued,
        "scopes": SCOPES,
        "overlaps": {hours: _(words) for hours, words in OVERLAPS.items()},
        "expiries": {days: _(words) for days, words in EXPIRIES.items()},
        "values": values | dict(typed or {}),
        "errors": {error.field or "name": error.detail} if error else {},
    }
    return contexts.page(request, ctx, "merchant/keys.html", context, status=error.status if error else 200)


@post("/merchant/keys", include_in_schema=False, status_code=200)
async def create(request: Req) -> Response[bytes]:
    """Issue a key, and show its secret: in this answer and never again."""
    ctx, form = contexts.current(request), await request.form()
    name, scopes = contexts.text(form, "name"), [str(scope) for scope in form.getall("scopes", [])]
    try:
        issued = await api_keys.issue(
            ctx.id, test=ctx.test, name=name, scopes=scopes, expires_at=_expiry(form),
            by=ctx.actor, ip=client_ip(request),
        )  # fmt: skip
    except (BadKey, TooManyKeys) as error:
        typed = {"name": name, "scopes": scopes, "expires": contexts.text(form, "expires")}
        return await _list(request, ctx, typed=typed, error=error)
    return await _list(request, ctx, issued=issued)


def _expiry(form: FormMultiDict) -> datetime | None:
    chosen = contexts.text(form, "expires")
    if chosen not in EXPIRIES:
        raise BadKey("Choose one of the times listed.", field="expires")
    return clock.now().astimezone(UTC) + timedelta(days=int(chosen)) if chosen else None


@post("/merchant/keys/{key_id:str}/rotations", include_in_schema=False, status_code=200)
async def rotate(request: Req, key_id: FromPath[str]) -> Response[bytes]:
    """Issue a key in another's place; the old one goes on for the chosen hours."""
    ctx, form = contexts.current(request), await request.form()
    hours = contexts.text(form, "overlap")
    if hours not in OVERLAPS:
        raise BadKey("Choose one of the times listed.", field="overlap")
    key = await _own(ctx, key_id)
    issued = await api_keys.rotate(
        key.id, ctx.id, overlap=timedelta(hours=int(hours)), by=ctx.actor, ip=client_ip(request)
    )
    return await _list(request, ctx, issued=issued)


@post("/merchant/keys/{key_id:str}/revocations", include_in_schema=False, status_code=200)
async def revoke(request: Req, key_id: FromPath[str]) -> Response[bytes]:
    """End a key, at once and everywhere."""
    ctx = contexts.current(request)
    key = await _own(ctx, key_id)
    await api_keys.revoke(key.id, ctx.id, by=ctx.actor, ip=client_ip(request))
    return see_other("/merchant/keys")


@post("/merchant/publishable-keys/rotations", include_in_schema=False, status_code=200)
async def rotate_publishable(request: Req) -> Response[bytes]:
    """A new publishable key; pages with the old one go on for the chosen hours."""
    ctx, form = contexts.current(request), await request.form()
    hours = contexts.text(form, "overlap")
    if hours not in OVERLAPS:
        return await _list(request, ctx, error=BadKey("Choose one of the times listed.", field="publishable"))
    await api_keys.rotate_publishable(
        ctx.id, test=ctx.test, overlap=timedelta(hours=int(hours)), by=ctx.actor, ip=client_ip(request)
    )
    return see_other("/merchant/keys#publishable")


async def _own(ctx: MerchantContext, key_id: str) -> ApiKey:
    """A key of this context's merchant and mode. Raises NothingHere."""
    wanted = contexts.require_id(key_id)
    for key in await queries.keys(ctx.id, test=ctx.test):
        if key.id == wanted:
            return key
    raise contexts.NothingHere


@post("/merchant/origins", include_in_schema=False, status_code=200)
async def allow(request: Req) -> Response[bytes]:
    """Name the origins whose pages may open the checkout: one a line, all others are refused."""
    ctx, form = contexts.current(request), await request.form()
    typed = contexts.text(form, "origins", 8000)
    try:
        await service.set_origins(ctx.id, typed.split(), by=ctx.actor, ip=client_ip(request))
    except service.BadOrigin as error:
        return await _list(request, ctx, typed={"origins": typed}, error=error)
    return see_other("/merchant/keys#origins")
