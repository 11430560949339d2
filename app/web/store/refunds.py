"""A customer's part in a refund: naming an address by the mailed link, and asking for that link again.

Looking changes nothing, since mail scanners look too. What was typed is shown once more before it is taken; only the
confirming button uses the link up.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.accounts.service import LinkSpent
from app.core.errors import Problem
from app.core.i18n import _
from app.core.ids import parse_id
from app.core.money import Money
from app.mail import mailboxes
from app.mail.mailboxes import Family
from app.orders.service import short
from app.payments import queries as payments
from app.refunds import claim as claims
from app.refunds import queries
from app.refunds.addresses import BadAddress, Target
from app.refunds.models import ClaimedRefund, Refund
from app.web.kernel import guards
from app.web.kernel.body import read_form
from app.web.kernel.rate_limits import bucket
from app.web.kernel.render import answer, page, see_other, wants_json
from app.web.kernel.viewer import remember_order
from app.web.store.wallets import MEMO_LABELS

Req = Request[Any, Any, Any]
FIELDS = ("coin", "address", "memo")


@get("/refunds/claims/{token:str}", include_in_schema=False)
async def show(request: Req, token: FromPath[str]) -> Response[bytes]:
    refund = await claims.look(token)
    if refund is None:
        return _past(request)
    return await show_form(request, _action(token), refund, {"coin": refund.coin or "", "address": "", "memo": ""})


@post(
    "/refunds/claims/{token:str}",
    include_in_schema=False,
    status_code=200,
    opt=bucket("lookups"),
)
async def claim(request: Req, token: FromPath[str]) -> Response[bytes]:
    """Take an address: first it is shown once more, and with ``confirmed`` it is kept."""
    refund = await claims.look(token)
    if refund is None:
        return _past(request)
    target = await read_target(request, _action(token), refund)
    if isinstance(target, Response):
        return target
    try:
        await claims.claim(token, target)
    except LinkSpent:
        return _past(request)
    if refund.seller:
        return page(request, "store/refunds/kept.html", _facts(_action(token), refund))
    response = see_other(f"/orders/{refund.order_id}")
    await remember_order(request, response, refund.order_id)
    return response


async def read_target(request: Req, action: str, refund: Refund) -> Target | Response[bytes]:
    """The confirmed address of a posted form; or the page that comes before: what was typed, to be looked at or mended.

    A ClaimedRefund names its merchant.
    """
    typed = await read_form(request)
    values = {name: typed.get(name, "")[:300] for name in FIELDS}
    if typed.get("change"):
        return await show_form(request, action, refund, values)
    try:
        target = await claims.parse(values["coin"], values["address"], values["memo"])
    except BadAddress as bad:
        return await show_form(request, action, refund, values, error=bad)
    if typed.get("confirmed") != "yes":
        return await _confirm(request, action, refund, target.coin, target.address, target.memo)
    return target


def _action(token: str) -> str:
    return f"/refunds/claims/{token}"


def _past(request: Req) -> Response[bytes]:
    if wants_json(request):
        raise LinkSpent("Ask for a new link on your order's page.")
    return page(request, "store/refunds/past.html", status=410)


async def show_form(
    request: Req, action: str, refund: Refund, values: Mapping[str, str], *, error: Problem | None = None
) -> Response[bytes]:
    if error is not None and wants_json(request):
        raise error
    context = _facts(action, refund) | {
        "coins": await payments.coins(),
        "values": values,
        "errors": {error.field: error.detail} if error else {},
        "why": refund.error,
    }
    return page(request, "store/refunds/claim.html", context, status=error.status if error else 200)


async def _confirm(
    request: Req, action: str, refund: Refund, coin: str, address: str, memo: str | None
) -> Response[bytes]:
    found = next(c for c in await payments.coins() if c.code == coin)
    target = {"coin": found, "address": address, "memo": memo, "memo_label": _(MEMO_LABELS.get(coin, "Memo"))}
    return page(request, "store/refunds/confirm.html", _facts(action, refund) | {"target": target})


def _facts(action: str, refund: Refund) -> dict[str, object]:
    merchants = refund if isinstance(refund, ClaimedRefund) else None
    return {
        "action": action,
        "amount": Money(refund.amount, refund.currency),
        "short_id": (merchants and merchants.reference) or short(refund.order_id),
        "seller": merchants and merchants.seller,
    }


@post(
    "/orders/{order_id:str}/refunds/{refund_id:str}/links",
    include_in_schema=False,
    status_code=200,
    opt=bucket("lookups"),
)
async def send_link(request: Req, refund_id: FromPath[str]) -> Response[bytes]:
    """Mail the claim link once more; it goes to the order's own address, whoever asks."""
    order = guards.order_of(request)
    found = parse_id(refund_id)
    if found is None or found not in {refund.id for refund in await queries.of_order(order.id)}:
        raise guards.OrderNotFound
    await mailboxes.take(Family.REFUND_LINKS, order.email)
    await claims.send_link_again(found)
    where = f"/orders/{order.id}"
    return answer({"location": where}) if wants_json(request) else see_other(where)
