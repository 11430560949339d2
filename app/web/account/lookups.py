"""Finding one's orders again: an email is not proof, so what is found is mailed to it."""

from typing import Any

from litestar import Request, Response, get, post

from app.accounts import addresses
from app.accounts import service as accounts
from app.core import db
from app.core.settings import settings
from app.mail import service as mail
from app.orders import queries as orders
from app.web import guards
from app.web.account.sessions import MINUTES, sent
from app.web.body import read_form
from app.web.render import page, sent_json

Asked = Request[Any, Any, Any]


@get("/orders/lookup", include_in_schema=False)
async def new(request: Asked) -> Response[bytes]:
    return page(request, "account/lookup.html", {"values": {"email": ""}, "errors": {}})


@post("/orders/lookup", summary="Mail a link to one's orders", tags=["account"], status_code=200)
async def create(request: Asked) -> Response[bytes]:
    """Mail a link to all orders of an address, if there are any. The answer is the same if not."""
    await guards.spend(request, "lookups", settings().limit_lookups)
    form = await read_form(request)
    try:
        email = addresses.parse(form.get("email"))
    except addresses.BadEmail as bad:
        if sent_json(request):
            raise
        context = {"values": {"email": form.get("email", "")[:400]}, "errors": {"email": bad.detail}}
        return page(request, "account/lookup.html", context, status=400)
    await guards.spend(request, "lookups", settings().limit_lookups, who=email)
    if await orders.any_of(email):
        link_id, link = accounts.linking(email, "login")
        await db.write(link, *mail.draft("lookup_link", email, {"link_id": link_id, "minutes": MINUTES}).writes)
    return sent(request, email)
