"""The team: who is in it, asking somebody in, and taking somebody out."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.accounts import addresses
from app.core.errors import Problem
from app.merchants import members
from app.web.kernel.render import see_other
from app.web.merchant import context as contexts
from app.web.merchant.context import MerchantContext

Req = Request[Any, Any, Any]


@get("/merchant/team", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    return await _list(request, contexts.current(request))


async def _list(
    request: Req, ctx: MerchantContext, *, email: str = "", error: Problem | None = None
) -> Response[bytes]:
    context = {"people": await members.of(ctx.id), "email": email, "error": error.detail if error else ""}
    return contexts.page(request, ctx, "merchant/team.html", context, status=error.status if error else 200)


@post("/merchant/team", include_in_schema=False, status_code=200, guards=[contexts.limit_invitations])
async def invite(request: Req) -> Response[bytes]:
    """Mail an invitation to the typed address."""
    ctx, form = contexts.current(request), await request.form()
    typed = contexts.text(form, "email")
    try:
        email = addresses.parse(typed)
        async with contexts.recorded(request, ctx, "member.invited", email):
            await members.invite(ctx.id, email, ctx.email)
    except (addresses.BadEmail, members.AlreadyInTeam, members.TeamFull) as error:
        return await _list(request, ctx, email=typed, error=error)
    return see_other("/merchant/team")


@post("/merchant/team/{member_id:str}/removals", include_in_schema=False, status_code=200)
async def remove(request: Req, member_id: FromPath[str]) -> Response[bytes]:
    """Take a person or an invitation out of the team; one's own leaving leads out of here."""
    ctx = contexts.current(request)
    found = contexts.require_id(member_id)
    leaving = next((p.email for p in await members.of(ctx.id) if p.id == found), "")
    async with contexts.recorded(request, ctx, "member.removed", leaving):
        await members.remove(ctx.id, found)
    return see_other("/" if leaving == ctx.email and len(ctx.merchants) == 1 else "/merchant/team")
