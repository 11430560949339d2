"""What becomes of money that bought nothing, by its customer's choice."""

from typing import Any

import msgspec
from litestar import Request, Response, post

from app.payments import service as paying
from app.web.kernel import guards
from app.web.kernel.body import read_form, read_json
from app.web.kernel.described import json_answer, json_body
from app.web.kernel.rate_limits import bucket
from app.web.kernel.render import answer, by_htmx, see_other, sent_json
from app.web.store.answers import ChoiceMade

Req = Request[Any, Any, Any]


class NewChoice(msgspec.Struct, rename="camel"):
    """`choice`: refund, credit or top_up; `payCurrency` is the coin of a top-up."""

    choice: str
    pay_currency: str | None = None


@post(
    "/orders/{order_id:str}/choices",
    summary="Choose what happens to money",
    tags=["payments"],
    status_code=202,
    opt=bucket("payments") | json_body(NewChoice),
    responses=json_answer(ChoiceMade, 202),
)
async def create(request: Req) -> Response[bytes]:
    """For money that has bought nothing: have it back, keep it as credit, or add what is missing.

    202 `{orderId, choice, jobId}`; the job makes a top-up's payment.
    """
    order = guards.order_of(request)
    if sent_json(request):
        asked = await read_json(request, NewChoice)
    else:
        form = await read_form(request)
        asked = NewChoice(form.get("choice", ""), form.get("payCurrency") or None)
    job_id = await paying.choose(order.id, asked.choice, coin=asked.pay_currency)
    if not sent_json(request) and not by_htmx(request):
        return see_other(f"/orders/{order.id}")
    return answer(ChoiceMade(order.id, asked.choice, job_id), status=202)
