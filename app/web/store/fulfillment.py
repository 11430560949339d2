"""How an order stands, as JSON."""

from typing import Any

from litestar import Request, Response, get

from app.web.kernel import guards
from app.web.kernel.described import json_answer
from app.web.kernel.render import answer
from app.web.store import order_view
from app.web.store.answers import OrderState

Req = Request[Any, Any, Any]


@get(
    "/fulfillment/{order_id:str}/status",
    summary="Get an order's status",
    tags=["fulfillment"],
    responses=json_answer(OrderState),
)
async def status(request: Req) -> Response[bytes]:
    return answer(await order_view.state_of(guards.order_of(request)))
