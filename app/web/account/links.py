"""What a mailed link leads to. Looking changes nothing, since mail scanners look too; only the button uses it up."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.accounts import service as accounts
from app.accounts.service import LinkSpent
from app.core.i18n import N_, _
from app.merchants import members
from app.web.kernel.render import answer, page, see_other, wants_json
from app.web.kernel.viewer import held_orders, remember_order, sign_in
from app.web.store import emails

Req = Request[Any, Any, Any]
PURPOSES = {
    "login": (N_("sign in and see your orders"), N_("Sign in")),
    "order": (N_("open your order"), N_("Open my order")),
    "email": (N_("confirm your email"), N_("Confirm")),
}


@get("/links/{token:str}", include_in_schema=False)
async def show(request: Req, token: FromPath[str]) -> Response[bytes]:
    order_id = await accounts.order_of_link(token)
    proof = await accounts.look_at_link(token)
    if order_id in await held_orders(request.state.viewer) and (proof is None or proof.purpose == "order"):
        return see_other(f"/orders/{order_id}")  # this browser holds it already, be the link used up or not
    if proof is None:
        context = {"purpose_words": "", "button": "", "token": token, "expired": True}
        return page(request, "account/link.html", context, status=410)
    if proof.purpose == "refund":
        return see_other(f"/refunds/claims/{token}")
    if proof.purpose == "invite":
        return see_other(f"/merchant/invitations/{token}")
    words, button = map(_, PURPOSES[proof.purpose])
    return page(
        request, "account/link.html", {"purpose_words": words, "button": button, "token": token, "expired": False}
    )


@post("/links/{token:str}", summary="Use a mailed link", tags=["account"], status_code=200)
async def consume(request: Req, token: FromPath[str]) -> Response[bytes]:
    """Use a link up: a sign-in link opens a session, an order's link gives access to that order."""
    seen = await accounts.look_at_link(token)
    if seen is not None and seen.purpose == "refund":
        return see_other(f"/refunds/claims/{token}")  # used up there, once an address is confirmed
    if seen is not None and seen.purpose == "invite":
        return see_other(f"/merchant/invitations/{token}")
    try:
        if seen is not None and seen.purpose == "email":
            return await emails.confirm(request, token)
        proof = await accounts.consume_link(token)
    except LinkSpent:
        if wants_json(request):
            raise
        context = {"purpose_words": "", "button": "", "token": token, "expired": True}
        return page(request, "account/link.html", context, status=410)
    where = f"/orders/{proof.order_id}" if proof.order_id else await _home(proof.email)
    response = answer({"location": where}) if wants_json(request) else see_other(where)
    if proof.order_id is not None:
        await remember_order(request, response, proof.order_id)
    else:
        await sign_in(request, response, proof.email)
    return response


async def _home(email: str) -> str:
    """Where signing in leads: a merchant's people work there, everybody else has orders."""
    return "/merchant" if await members.joined(email) else "/orders"
