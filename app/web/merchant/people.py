"""The team: who is in it, asking somebody in, taking somebody out, and accepting an invitation."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.accounts import addresses
from app.accounts.service import LinkSpent
from app.core.errors import Problem
from app.merchants import members
from app.web.kernel import guards
from app.web.kernel.rate_limits import purse
from app.web.kernel.render import page, see_other
from app.web.kernel.viewer import remember_desk, sign_in
from app.web.merchant import context as desks
from app.web.merchant.context import MerchantContext, context_key

Req = Request[Any, Any, Any]


@get("/merchant/team", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    return await _list(request, desks.current(request))


async def _list(
    request: Req, desk: MerchantContext, *, email: str = "", error: Problem | None = None
) -> Response[bytes]:
    context = {"people": await members.of(desk.id), "email": email, "error": error.detail if error else ""}
    return desks.page(request, desk, "merchant/team.html", context, status=error.status if error else 200)


@post("/merchant/team", include_in_schema=False, status_code=200, guards=[desks.limit_invitations])
async def invite(request: Req) -> Response[bytes]:
    """Mail an invitation to the typed address."""
    desk, form = desks.current(request), await request.form()
    typed = desks.text(form, "email")
    try:
        email = addresses.parse(typed)
        async with desks.recorded(request, desk, "member.invited", email):
            await members.invite(desk.id, email, desk.email)
    except (addresses.BadEmail, members.AlreadyInTeam, members.TeamFull) as error:
        return await _list(request, desk, email=typed, error=error)
    return see_other("/merchant/team")


@post("/merchant/team/{member_id:str}/removals", include_in_schema=False, status_code=200)
async def remove(request: Req, member_id: FromPath[str]) -> Response[bytes]:
    """Take a person or an invitation out of the team; one's own leaving leads out of here."""
    desk = desks.current(request)
    found = desks.require_id(member_id)
    leaving = next((p.email for p in await members.of(desk.id) if p.id == found), "")
    async with desks.recorded(request, desk, "member.removed", leaving):
        await members.remove(desk.id, found)
    return see_other("/" if leaving == desk.email and len(desk.merchants) == 1 else "/merchant/team")


@get("/merchant/invitations/{token:str}", include_in_schema=False)
async def show(request: Req, token: FromPath[str]) -> Response[bytes]:
    """What an invitation is for. Looking uses nothing up: mail scanners look too."""
    found = await members.look(token)
    context = {"token": token, "invitation": found}
    return page(request, "merchant/invitation.html", context, status=200 if found else 410)


@post("/merchant/invitations/{token:str}", include_in_schema=False, status_code=200, opt=purse("logins"))
async def accept(request: Req, token: FromPath[str]) -> Response[bytes]:
    """Join the team, signed in by the address that the letter proved."""
    seen = await members.look(token)
    if seen is None:
        return page(request, "merchant/invitation.html", {"token": token, "invitation": None}, status=410)
    try:
        async with guards.recorded(request, "member.joined", details=seen.merchant_name, actor=f"member {seen.email}"):
            await members.join(token)
    except LinkSpent:
        return page(request, "merchant/invitation.html", {"token": token, "invitation": None}, status=410)
    response = see_other("/merchant")
    if desks.person(request) != seen.email:
        await sign_in(request, response, seen.email)
    remember_desk(response, context_key(seen.merchant_id, test=True))
    return response
