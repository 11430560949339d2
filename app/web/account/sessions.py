"""Signing in by a mailed link, and out."""

from typing import Any

from litestar import Request, Response, get, post

from app.accounts import addresses, logins, sessions
from app.accounts import service as accounts
from app.core import db
from app.core.client_address import limit_key
from app.core.rate_limit import TooManyAttempts
from app.core.settings import settings
from app.mail import mailboxes
from app.mail import service as mail
from app.mail.mailboxes import Family
from app.web.kernel import guards
from app.web.kernel.body import read_form
from app.web.kernel.rate_limits import bucket
from app.web.kernel.render import answer, page, see_other, sent_json
from app.web.kernel.viewer import ORDERS_COOKIE, SESSION_COOKIE, Viewer, client_ip, forget

Req = Request[Any, Any, Any]
MINUTES = accounts.LOGIN_LIFETIME.seconds // 60  # for which a mailed link works


@get("/login", include_in_schema=False)
async def new(request: Req) -> Response[bytes]:
    return page(request, "account/login.html", {"values": {"email": ""}, "errors": {}, "minutes": MINUTES})


@post("/login", summary="Ask for a sign-in link", tags=["account"], status_code=200, opt=bucket("logins"))
async def create(request: Req) -> Response[bytes]:
    """Mail a sign-in link. The answer is the same for every address, known or not."""
    form = await read_form(request)
    try:
        email = addresses.parse(form.get("email"))
    except addresses.BadEmail as bad:
        if sent_json(request):
            raise
        context = {
            "values": {"email": form.get("email", "")[:400]},
            "errors": {"email": bad.detail},
            "minutes": MINUTES,
        }
        return page(request, "account/login.html", context, status=400)
    if not await may_mail(request, email, "logins", settings().limit_logins):
        return await sent(request, email, earlier=True)
    link_id, link = accounts.linking(email, "login")
    await db.write(link, *mail.draft("login_link", email, {"link_id": link_id, "minutes": MINUTES}).writes)
    return await sent(request, email)


async def may_mail(request: Req, email: str, bucket: str, per_minute: int) -> bool:
    """Count a link to this address. False where no more are mailed for now, but one that was still works.

    From where its owner signed in before, uses count apart from strangers'. Raises TooManyAttempts.
    """
    caller = limit_key(client_ip(request))
    own = caller in await logins.own_networks(email, "customer")
    try:
        await guards.spend(request, bucket, per_minute, who=mailboxes.counted_as(email, caller, own=own))
        await mailboxes.take(Family.LINKS, email, caller=caller, own=own)
    except TooManyAttempts:
        if await accounts.has_live_link(email):
            return False
        raise
    return True


async def sent(request: Req, email: str, *, earlier: bool = False) -> Response[bytes]:
    """That a link is on its way, or was sent ``earlier``; or, while the mail quota is used up, that it may not be."""
    held_up = not earlier and await mail.quota_is_out()
    if sent_json(request):
        return answer({"sent": not held_up and not earlier}, status=202)
    context = {"email": email, "minutes": MINUTES, "held_up": held_up, "earlier": earlier}
    return page(request, "account/sent.html", context)


@post("/logout", summary="Sign out", tags=["account"], status_code=200)
async def destroy(request: Req) -> Response[bytes]:
    """End the session in this browser, with its access to orders: copies of its cookies open nothing either."""
    viewer: Viewer = request.state.viewer
    if viewer.session is not None:
        await sessions.end(viewer.session)
    if viewer.browser is not None:
        await sessions.end_browser(viewer.browser)
    response = see_other("/")
    forget(response, SESSION_COOKIE, ORDERS_COOKIE)
    return response
