"""Paying from the frame. What proves that a post comes from it is its token: it has no cookie to be ridden on."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath

from app.core.ids import parse_id
from app.payments import create_for_merchants
from app.payments import queries as payments
from app.web.embed import checkout_session
from app.web.kernel.body import read_form
from app.web.kernel.rate_limits import bucket
from app.web.kernel.render import answer

Req = Request[Any, Any, Any]
FIELDS = {"crypto": ("currency",), "upi": ("vpa",), "card": ("number", "expiry", "cvv")}


@post("/embed/payments", include_in_schema=False, status_code=201, opt=bucket("payments"))
async def create(request: Req) -> Response[bytes]:
    """Begin an attempt: `token`, `method`, and what the method needs. Errors name their field."""
    form = await read_form(request)
    found = await checkout_session.by_token(form.get("token", ""))
    method = form.get("method", "")
    spec = {name: form.get(name, "").strip()[:300] for name in FIELDS.get(method, ())}
    await create_for_merchants.create(found.order, method, spec)
    return answer({}, status=201)


@post(
    "/embed/payments/{payment_id:str}/cancellations", include_in_schema=False, status_code=200, opt=bucket("payments")
)
async def cancel(request: Req, payment_id: FromPath[str]) -> Response[bytes]:
    """Leave an attempt that was not paid, to pay in another way. Money that comes for it all the same is found."""
    found = await checkout_session.by_token((await read_form(request)).get("token", ""))
    wanted = parse_id(payment_id)
    if wanted is None or wanted not in {attempt.id for attempt in await payments.of_order(found.order.id)}:
        raise checkout_session.NoSuchCheckout
    await create_for_merchants.cancel(found.merchant.id, found.test, wanted)
    return answer({})
