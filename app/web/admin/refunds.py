"""Refunds, for admins: the list, one with all that is known of it, and asking for one."""

import json
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath
from msgspec.structs import asdict

from app.accounts import addresses
from app.core.i18n import N_, _
from app.core.ids import parse_id
from app.core.money import Money, UnclearAmount, parse_decimal, plain, typed_amount
from app.core.settings import settings
from app.keys import queries as keys
from app.ledger import queries as books
from app.ledger.service import SUPPLIER_CURRENCY as SUPPLIER
from app.orders import queries as orders
from app.orders.models import Order
from app.orders.service import short
from app.refunds import queries, service, store_credit
from app.refunds.models import Refund
from app.refunds.service import TooMuch
from app.refunds.states import RefundStatus
from app.web.admin import tabs as lists
from app.web.kernel import guards
from app.web.kernel.body import read_form
from app.web.kernel.render import answer, page, see_other, wants_json

Req = Request[Any, Any, Any]
WORDS = {"processing": N_("Being sent"), "processed": N_("Sent"), "failed": N_("Failed")}
TONES = {"processing": "working", "processed": "good", "failed": "danger"}


@get("/admin/refunds", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    status = str(request.query_params.get("status", "")) or None
    status = status if status in set(RefundStatus) else None
    at = lists.number(request)
    rows = await queries.page(status=status, limit=lists.PAGE, offset=(at - 1) * lists.PAGE)
    counts = await queries.counts()
    if wants_json(request):
        return answer({"items": rows, "counts": counts})
    tabs = lists.tabs("/admin/refunds", "status", status, ((s.value, counts.get(s, 0)) for s in RefundStatus))
    links = lists.links("/admin/refunds", at, len(rows), status=status)
    return page(
        request, "admin/refunds/index.html", {"refunds": [_row(r) for r in rows], "counts": tabs, "links": links}
    )


def _row(refund: Refund) -> dict[str, object]:
    words, tone = _(WORDS.get(refund.status, "")), TONES.get(refund.status, "")
    if refund.status == "pending":
        named, fine = refund.claimed_at is not None, refund.checked_at is not None
        words = _("To approve") if fine else _("Checking the address") if named else _("Waiting for an address")
        tone = "attention" if fine else ""
    elif (refund.error or "").startswith(service.REJECTED):
        words, tone = _("Turned down"), ""
    return {
        **asdict(refund),
        "order_short_id": short(refund.order_id),
        "money": Money(refund.amount, refund.currency),
        "words": words,
        "tone": tone,
        "pay_amount": plain(refund.pay_amount) if refund.pay_amount is not None else "",
    }


async def find(refund_id: str) -> Refund:
    found = parse_id(refund_id)
    if found is None:
        raise service.NoSuchRefund
    return await service.find(found)


async def of_order(order_id: UUID) -> dict[str, object]:
    """What ``admin/refunds/_order.html`` shows on an order's page."""
    sealed = await keys.of_order(order_id)
    refundable, offered = await queries.refundable(order_id), await _offered(order_id)
    # Each account's side is in its name; a person reads how much.
    standing = [(account, abs(number)) for account, number in (await books.balances(order_id)).items() if number]
    return {
        "refunds": [_row(refund) for refund in await queries.of_order(order_id)],
        "refundable": refundable,
        "offered": offered,
        "keys_shown": any(key.revealed_at for key in sealed),
        "credit": await store_credit.of_order(order_id),
        "ledger": [
            {"account": a.value, "money": Money(n, SUPPLIER if a.startswith("supplier") else refundable.currency)}
            for a, n in standing
        ],
    }


@get("/admin/refunds/{refund_id:str}", include_in_schema=False)
async def show(request: Req, refund_id: FromPath[str]) -> Response[bytes]:
    refund = await find(refund_id)
    if wants_json(request):
        return answer(refund)
    order = await orders.one(refund.order_id)
    assert order is not None
    evidence = json.loads(refund.evidence or "{}")
    waits, failed = refund.status == "pending", refund.status == "failed"
    ended = refund.payout_status in service.SETTLED_WORDS
    context = {
        "refund": _row(refund),
        "email": addresses.shown(order),
        "order": order,
        "seller": await orders.seller(order),
        "shown": evidence.get("shown", []),
        "unseen": len(evidence.get("unseen", [])),
        "credit": evidence.get("credit"),
        "can_approve": waits and refund.checked_at is not None and settings().pays_out,
        "pays_out": settings().pays_out,
        "can_record": waits and not order.test,
        "can_fail": waits or (refund.status == "processing" and (refund.asked_at is None or ended)),
        "can_retry": failed,
    }
    return page(request, "admin/refunds/show.html", context)


@post("/admin/orders/{order_id:str}/refunds", include_in_schema=False, status_code=200)
async def create(request: Req, order_id: FromPath[str]) -> Response[bytes]:
    """Ask for a refund of an order's money: unless an amount is named, what is owed, or else all that is left.

    ``left``: what the page said could go back. Where less can by now, the decision was on other money.
    """
    order = await guards.any_order(order_id)
    form = await read_form(request)
    left = (await queries.refundable(order.id)).amount  # before it is read what is owed of it
    amount = await _amount(order, form.get("amount", ""))
    async with guards.recorded(request, "refund.asked", order_id=order.id, details=str(amount)):
        seen = parse_decimal(form.get("left", "").strip()) or left
        refund_id = await service.ask(order.id, amount, form.get("reason", ""), _who(request), seen=seen)
    where = f"/admin/refunds/{refund_id}"
    return answer({"refundId": refund_id}, status=201) if wants_json(request) else see_other(where)


async def _amount(order: Order, text: str) -> Money:
    if not text.strip():
        return await _offered(order.id)
    try:
        return typed_amount(text, order.currency)
    except UnclearAmount as unclear:
        raise TooMuch(str(unclear), field="amount") from None


async def _offered(order_id: UUID) -> Money:
    """What a refund is for, unless somebody says otherwise: of an order that was delivered, what is not its price."""
    left, owed = await queries.refundable(order_id), await queries.owed(order_id)
    order = await orders.one(order_id)
    return owed if owed.amount and order and order.status in {"paid", "fulfilled"} else left


def _who(request: Req) -> str:
    return f"admin {request.state.viewer.email}"
