"""The audit log: the list, and one order's lines as JSON."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from app.audit import bundle, service
from app.audit import queries as audit
from app.audit.models import ShownLine
from app.core.i18n import _
from app.core.ids import parse_id
from app.core.structs import extend
from app.orders.service import short
from app.web.admin import tabs
from app.web.admin.audit_texts import ACTIONS
from app.web.kernel import guards
from app.web.kernel.render import answer, page, wants_json

Req = Request[Any, Any, Any]


@get("/admin/audit", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    """The newest lines first; `?order=` shows one order's alone."""
    asked = str(request.query_params.get("order", "")).strip()[:64]
    order_id, at = parse_id(asked), tabs.number(request)
    known = order_id is not None or not asked
    rows = await audit.page(order_id=order_id, limit=tabs.PAGE, offset=(at - 1) * tabs.PAGE) if known else []
    if wants_json(request):
        return answer({"items": [_entry(row) for row in rows]})
    tip = await audit.tip()
    context = {
        "lines": [_line(row) for row in rows],
        "order": asked,
        "count": tip.seq or 0,
        "public_key": bundle.public_text(service.signing_key()),
        "links": tabs.links("/admin/audit", at, len(rows), order=str(order_id) if order_id else None),
    }
    return page(request, "admin/audit/index.html", context)


class Line(ShownLine, frozen=True):
    """A line as the page shows it; ``short_id`` is the order's."""

    action_words: str
    short_id: str


def _line(row: ShownLine) -> Line:
    words = _(ACTIONS.get(row.action, row.action))
    return extend(Line, row, action_words=words, short_id=short(row.order_id) if row.order_id else "")


def _entry(row: ShownLine) -> dict[str, object]:
    return {
        "seq": row.seq,
        "at": row.at,
        "action": row.action,
        "orderId": row.order_id,
        "keyId": row.key_id,
        "actor": row.actor,
        "ip": row.ip,
        "userAgent": row.user_agent,
        "details": row.details,
    }


@get("/admin/key-audit/{order_id:str}", include_in_schema=False)
async def show(request: Req, order_id: FromPath[str]) -> Response[bytes]:
    """One order's lines, oldest first; an order that nobody ever asked about has none."""
    found = parse_id(order_id)
    if found is None:
        raise guards.OrderNotFound
    return answer({"orderId": found, "entries": [_entry(row) for row in await audit.of_order(found)]})
