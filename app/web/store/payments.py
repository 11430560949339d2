"""Asking for a payment, and how that job stands."""

import uuid
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.core.errors import NotFound
from app.core.ids import parse_id
from app.core.money import Money
from app.orders import service as orders
from app.payments import service as paying
from app.queue import queries as jobs
from app.web.kernel import guards
from app.web.kernel.body import read_form, read_json
from app.web.kernel.described import json_answer, json_body
from app.web.kernel.rate_limits import bucket
from app.web.kernel.render import answer, by_htmx, see_other, sent_json
from app.web.store.answers import JobState, PaymentAsked

Req = Request[Any, Any, Any]


class JobNotFound(NotFound):
    title = "No such job"


class NewPayment(msgspec.Struct, rename="camel"):
    order_id: uuid.UUID
    pay_currency: str | None = None


@post(
    "/payments/create",
    summary="Start a payment",
    tags=["payments"],
    status_code=202,
    opt=bucket("payments") | json_body(NewPayment),
    responses=json_answer(PaymentAsked, 202),
)
async def create(request: Req) -> Response[bytes]:
    """Ask for a (further) payment of an order, in another coin if one is named. 202 `{jobId, orderId}`."""
    if sent_json(request):
        asked = await read_json(request, NewPayment)
        order_id, coin = str(asked.order_id), asked.pay_currency
    else:
        form = await read_form(request)
        order_id, coin = form.get("orderId", ""), form.get("payCurrency")
    order = await guards.acting_for(request, order_id)
    if coin:
        coin = await paying.choose_coin(coin, Money(order.total, order.currency))
    job_id = await orders.ask_payment(order.id, coin)
    if not sent_json(request) and not by_htmx(request):
        return see_other(f"/orders/{order.id}")
    return answer(PaymentAsked(job_id, order.id), status=202)


@get(
    "/payments/jobs/{job_id:str}/status",
    summary="Get a payment job's status",
    tags=["payments"],
    responses=json_answer(JobState),
)
async def job_status(request: Req, job_id: FromPath[str]) -> Response[bytes]:
    """`{jobId, status, progress, error}`, for who may see the job's order."""
    found = parse_id(job_id)
    job = await jobs.status(found) if found else None
    if job is None or job.subject is None:
        raise JobNotFound("Check the id, or ask with the order's access token.")
    try:
        await guards.own_order(request, str(job.subject))
    except guards.OrderNotFound:
        raise JobNotFound("Check the id, or ask with the order's access token.") from None
    return answer(JobState(job.id, job.status, job.progress, job.error))
