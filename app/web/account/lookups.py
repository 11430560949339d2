"""Finding one's orders again: an email is not proof, so what is found is mailed to it."""

from typing import Any

from litestar import Request, Response, get, post

from app.accounts import addresses
from app.core.settings import settings
from app.orders import email_lookup
from app.web.account.sessions import may_mail, sent
from app.web.kernel.body import read_form
from app.web.kernel.rate_limits import bucket
from app.web.kernel.render import page, sent_json

Req = Request[Any, Any, Any]


@get("/orders/lookup", include_in_schema=False)
async def new(request: Req) -> Response[bytes]:
    return page(request, "account/lookup.html", {"values": {"email": ""}, "errors": {}})


@post("/orders/lookup", summary="Email a link to orders", tags=["account"], status_code=200, opt=bucket("lookups"))
async def create(request: Req) -> Response[bytes]:
    """Mail a link to all orders of an address, if there are any. The answer is the same if not, and as fast."""
    form = await read_form(request)
    try:
        email = addresses.parse(form.get("email"))
    except addresses.BadEmail as bad:
        if sent_json(request):
            raise
        context = {"values": {"email": form.get("email", "")[:400]}, "errors": {"email": bad.detail}}
        return page(request, "account/lookup.html", context, status=400)
    if not await may_mail(request, email, "lookups", settings().limit_lookups):
        return await sent(request, email, earlier=True)
    await email_lookup.request(email)
    return await sent(request, email)
