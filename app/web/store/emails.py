"""Putting a mistyped email right, on the order's page; it counts once the new address has confirmed it."""

from typing import Any

from litestar import Request, Response, get, post

from app.accounts import addresses
from app.accounts import service as accounts
from app.accounts.addresses import masked
from app.core import db
from app.core.client_address import limit_key
from app.core.errors import Problem
from app.core.ids import new_id
from app.orders import email_change
from app.orders.models import Order
from app.orders.service import changing, short
from app.refunds import claim
from app.web.kernel import guards
from app.web.kernel.body import read_form
from app.web.kernel.rate_limits import bucket
from app.web.kernel.render import answer, page, see_other, wants_json
from app.web.kernel.viewer import Viewer, client_ip, held_orders, remember_order

Req = Request[Any, Any, Any]


@get("/orders/{order_id:str}/email", include_in_schema=False)
async def new(request: Req) -> Response[bytes]:
    return _form(request, guards.order_of(request), "", None)


@post(
    "/orders/{order_id:str}/email",
    summary="Change an order's email",
    tags=["shop"],
    status_code=202,
    opt=bucket("lookups"),
)
async def create(request: Req) -> Response[bytes]:
    """Mail a link to the new address; the order's email changes when it is used. The current one cancels a change."""
    order = guards.order_of(request)
    typed = (await read_form(request)).get("email", "")
    try:
        email = addresses.parse(typed)
        viewer: Viewer = request.state.viewer
        holds = order.id in await held_orders(viewer)
        browser = (viewer.browser or new_id()) if holds else None
        asker = accounts.Asker(viewer.session.id if viewer.session else None, browser)
        sent = await email_change.request(order, email, asker, caller=limit_key(client_ip(request)))
    except (addresses.BadEmail, email_change.SameEmail) as bad:
        if wants_json(request):
            raise
        return _form(request, order, typed[:400], bad)
    if not sent:
        await guards.write(request, "order.email_kept", order_id=order.id)
        where = f"/orders/{order.id}"
        return answer({"orderId": order.id, "sent": False}, status=202) if wants_json(request) else see_other(where)
    await guards.write(request, "order.email_asked", order_id=order.id, details=f"to {masked(email)}")
    response = _sent(request, order, email)
    if browser is not None and viewer.browser is None:
        await remember_order(request, response, order.id, browser=browser)
    return response


def _sent(request: Req, order: Order, email: str) -> Response[bytes]:
    if wants_json(request):
        return answer({"orderId": order.id, "sent": True}, status=202)
    context = {"email": email, "hours": accounts.EMAIL_HOURS, "back": f"/orders/{order.id}"}
    return page(request, "store/orders/email_sent.html", context)


async def confirm(request: Req, token: str) -> Response[bytes]:
    """The new address has proved itself: the order's email changes, and with it where a refund's link leads.

    Raises LinkSpent.
    """
    async with db.transaction():
        proof = await accounts.consume_link(token)
        assert proof.order_id is not None
        async with changing(proof.order_id):
            old = await email_change.confirm(proof.order_id, proof.email, proof.browser)
            await claim.invite_again(proof.order_id)
        details = f"{masked(old)} to {masked(proof.email)}"
        await guards.write(request, "order.email_changed", order_id=proof.order_id, details=details)
    where = f"/orders/{proof.order_id}"
    response = answer({"location": where}) if wants_json(request) else see_other(where)
    await remember_order(request, response, proof.order_id)
    return response


def _form(request: Req, order: Order, typed: str, error: Problem | None) -> Response[bytes]:
    context = {
        "order_id": order.id,
        "short_id": short(order.id),
        "now": masked(order.email),
        "email": typed,
        "error": error.detail if error else "",
    }
    return page(request, "store/orders/email.html", context, status=error.status if error else 200)
