"""The order's live page, its end, and the list of one's orders."""

from typing import Any

from litestar import Request, Response, get

from app.core.i18n import _
from app.core.money import Money
from app.orders import queries as order_rows
from app.orders import service as orders
from app.orders.models import NamedOrder
from app.web.kernel import guards
from app.web.kernel.described import json_answer
from app.web.kernel.render import answer, page, see_other, wants_json
from app.web.kernel.viewer import Viewer, held_orders
from app.web.store import order_view
from app.web.store.answers import OrderState
from app.web.store.order_texts import STATUS_WORDS

Req = Request[Any, Any, Any]


@get("/orders/{order_id:str}", summary="An order", tags=["shop"], responses=json_answer(OrderState))
async def show(request: Req) -> Response[bytes]:
    """The live order page; JSON in the shape of `/fulfillment/{orderId}/status`."""
    order = guards.order_of(request)
    if wants_json(request):
        return answer(await order_view.state_of(order))
    context = {"order": await order_view.build(order), "staff": await guards.by_staff(request, order)}
    return page(request, "store/orders/show.html", context)


@get("/orders/{order_id:str}/status", include_in_schema=False)
async def status(request: Req) -> Response[bytes]:
    """The partial that the page polls when its stream is down; JSON where asked for."""
    order = guards.order_of(request)
    if wants_json(request):
        return answer(await order_view.state_of(order))
    return page(request, "store/orders/_status.html", {"order": await order_view.build(order)})


@get("/orders/{order_id:str}/success", summary="Reveal page", tags=["shop"])
async def success(request: Req) -> Response[bytes]:
    """Where keys are revealed; an order that is not there yet is shown as it stands."""
    order = guards.order_of(request)
    if wants_json(request):
        return answer(await order_view.state_of(order))
    view = await order_view.build(order)
    if not any(item.keys_ready for item in view.items):
        return see_other(f"/orders/{order.id}")
    return page(request, "store/orders/success.html", {"order": view, "staff": await guards.by_staff(request, order)})


@get("/orders", summary="Your orders", tags=["shop"])
async def index(request: Req) -> Response[bytes]:
    """Orders of the logged-in email, and those this browser holds tokens for."""
    viewer: Viewer = request.state.viewer
    email = viewer.session.email if viewer.session and viewer.session.role == "customer" else None
    rows = await order_rows.history(email=email, ids=await held_orders(viewer))
    if wants_json(request):
        return answer({"items": [_summary(row) for row in rows]})
    listed = [
        {
            "id": row.id,
            "short_id": orders.short(row.id),
            "created_at": row.created_at,
            "total": Money(row.total, row.currency),
            "status_words": _("Money due back") if _given_up(row) else _(STATUS_WORDS[row.status][0]),
            "tone": STATUS_WORDS[row.status][1],
            "href": f"/orders/{row.id}",
            "names": row.names,
        }
        for row in rows
    ]
    return page(request, "store/orders/index.html", {"orders": listed})


def _given_up(row: NamedOrder) -> bool:
    """It was paid for, and could not be delivered."""
    return bool(row.status == "failed" and row.fulfillment_status == "failed")


def _summary(row: NamedOrder) -> dict[str, object]:
    return {
        "orderId": row.id,
        "status": row.status,
        "total": Money(row.total, row.currency),
        "createdAt": row.created_at,
    }
