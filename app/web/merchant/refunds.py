"""A merchant's refunds: the list, and one."""

from datetime import datetime
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from app.accounts import addresses
from app.contract.refund import STATUSES, Refund
from app.core.money import Money
from app.core.structs import extend
from app.mail.states import TAKEN, UNREACHED, LetterStatus
from app.orders.service import short
from app.refunds import queries
from app.refunds.models import MerchantRefund
from app.web.merchant import context as contexts
from app.web.merchant import filters
from app.web.merchant.context import PAGE, NothingHere
from app.webhooks import queries as webhooks

Req = Request[Any, Any, Any]
MOST_SHOWN = 50  # deliveries of one refund


class ShownRefund(Refund, frozen=True, kw_only=True):
    """A refund as the API tells it, and what a person reads of it."""

    mailed: bool
    unreached: bool
    under_way: bool
    short: str
    money: Money
    order_short: str
    reference: str | None
    email: str
    asked_by: str
    created_at: datetime
    ended_at: datetime | None


@get("/merchant/refunds", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    """``?status=&q=``: ``q`` is a payment's id, the order's reference, or a customer's email."""
    ctx = contexts.current(request)
    status, typed = filters.one_of(request, "status", STATUSES), filters.given(request, "q")
    chosen = {"status": status} | filters.searched(typed, "payment_id")
    rows = await queries.merchant_page(ctx.id, ctx.test, chosen, filters.before(request), PAGE + 1)
    context = filters.page("/merchant/refunds", [shown(row) for row in rows], {"status": status, "q": typed})
    context |= {"status": status, "q": typed, "statuses": STATUSES}
    return contexts.page(request, ctx, "merchant/refunds/index.html", context, partial="merchant/refunds/_rows.html")


@get("/merchant/refunds/{refund_id:str}", include_in_schema=False)
async def show(request: Req, refund_id: FromPath[str]) -> Response[bytes]:
    ctx = contexts.current(request)
    row = await queries.of_merchant(ctx.id, ctx.test, contexts.require_id(refund_id))
    if row is None:
        raise NothingHere
    context = {
        "refund": shown(row),
        "deliveries": await webhooks.deliveries(ctx.id, ctx.test, {"object_id": row.id}, None, MOST_SHOWN),
    }
    return contexts.page(request, ctx, "merchant/refunds/show.html", context)


def shown(row: MerchantRefund) -> ShownRefund:
    return extend(
        ShownRefund, Refund.from_row(row, test=row.test), mailed=row.letter_status in TAKEN,
        unreached=row.letter_status in UNREACHED,
        under_way=row.letter_status in {LetterStatus.PENDING, LetterStatus.WAITING},
        short=short(row.id), money=Money(row.amount, row.currency),
        order_short=short(row.order_id), reference=row.reference, email=addresses.shown(row),
        asked_by=row.asked_by, created_at=row.created_at, ended_at=row.ended_at,
    )  # fmt: skip
