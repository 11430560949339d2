"""An invitation into a merchant's team, for who holds its link."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.accounts.service import LinkSpent
from app.merchants import members
from app.web.kernel import guards
from app.web.kernel.rate_limits import bucket
from app.web.kernel.render import page, see_other
from app.web.kernel.viewer import remember_context, sign_in
from app.web.merchant import context as contexts
from app.web.merchant.context import context_key

Req = Request[Any, Any, Any]


@get("/merchant/invitations/{token:str}", include_in_schema=False)
async def show(request: Req, token: FromPath[str]) -> Response[bytes]:
    """What an invitation is for. Looking uses nothing up: mail scanners look too."""
    found = await members.look(token)
    context = {"token": token, "invitation": found}
    return page(request, "merchant/invitation.html", context, status=200 if found else 410)


@post("/merchant/invitations/{token:str}", include_in_schema=False, status_code=200, opt=bucket("logins"))
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
    if contexts.person(request) != seen.email:
        await sign_in(request, response, seen.email)
    remember_context(response, context_key(seen.merchant_id, test=True))
    return response
