"""Who looked at an order's keys: as a page, and as JSON."""

from typing import Any

from litestar import Request, Response, get

from app.audit import queries as audit_rows
from app.web.kernel import guards
from app.web.kernel.described import json_answer
from app.web.kernel.render import answer, page
from app.web.store import access_log, order_view
from app.web.store.answers import Audit, AuditEntry
from app.web.store.order_texts import AUDIT_WORDS

Req = Request[Any, Any, Any]


@get("/orders/{order_id:str}/audit", include_in_schema=False)
async def show(request: Req) -> Response[bytes]:
    """Who looked at this order's keys, for people; `/fulfillment/{orderId}/audit` is its JSON twin."""
    order = guards.order_of(request)
    found = await audit_rows.of_order(order.id, list(AUDIT_WORDS))
    entries = [access_log.shown(request, entry) for entry in found]
    return page(request, "store/orders/audit.html", {"order": await order_view.build(order), "entries": entries})


@get(
    "/fulfillment/{order_id:str}/audit",
    summary="Get the access log of the keys",
    tags=["fulfillment"],
    responses=json_answer(Audit),
)
async def index(request: Req) -> Response[bytes]:
    order = guards.order_of(request)
    lines = [access_log.shown(request, x) for x in await audit_rows.of_order(order.id, list(AUDIT_WORDS))]
    return answer(Audit([AuditEntry(x.at, x.action, x.key_id, x.who, x.ip, x.user_agent) for x in lines]))
