"""How an order stands, for the SDK in a merchant's page: the server's word, which alone calls a payment a success."""

import json
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath

from app.contract import fields
from app.contract.checkout import CheckoutOrder, CheckoutPayment
from app.orders.models import Order
from app.payments import api_status
from app.payments import queries as payments
from app.payments.models import Payment
from app.web.embed import checkout_session
from app.web.kernel.render import answer

PAID = {"paid", "fulfilled"}
Req = Request[Any, Any, Any]


@get("/embed/orders/{order_id:str}", summary="Get an order's status", tags=["embed"])
async def show(request: Req, order_id: FromPath[str]) -> Response[bytes]:
    """For pages of the merchant's allowed origins, by `?key=` its publishable key: what the customer may see."""
    origin = checkout_session.origin_of(request)
    try:
        found = await checkout_session.find(request.query_params.get("key", ""), order_id, origin)
    except checkout_session.NoSuchCheckout as refused:
        return _refusal(refused)
    attempts = await payments.of_order(found.order.id)
    body = json.dumps(msgspec.to_builtins(truth(found.order, attempts))).encode()
    kept = {"cache-control": "no-store", "vary": "Origin", "access-control-allow-origin": origin}
    return Response(body, media_type="application/json", headers=kept)


def _refusal(refused: checkout_session.NoSuchCheckout) -> Response[bytes]:
    """For any page to read: it is the same for all, and a page that can't read it takes it for a lost connection."""
    told = {"type": f"urn:bitloot:error:{refused.code}", "title": refused.title, "status": refused.status}
    kept = {"access-control-allow-origin": "*", "vary": "Origin"}
    response = answer(told | {"detail": refused.detail, "code": refused.code}, status=refused.status, headers=kept)
    response.media_type = "application/problem+json"
    return response


def current(attempts: list[Payment]) -> Payment | None:
    """The newest attempt; what else arrived at an earlier one's address is none of its own."""
    return next((attempt for attempt in attempts if attempt.parent_payment_id is None), None)


def truth(order: Order, attempts: list[Payment]) -> CheckoutOrder:
    """How it stands, with its newest attempt to be paid."""
    newest = current(attempts)
    return CheckoutOrder(
        id=order.id,
        status=order.status,
        paid=order.status in PAID,
        amount=fields.digits(order.total, order.currency),
        currency=order.currency,
        mode=fields.mode(order.test),
        payment=CheckoutPayment(
            id=newest.id, status=api_status.word(newest), method=newest.method, failure=newest.failure
        )
        if newest
        else None,
    )
