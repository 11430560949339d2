"""An order whose supply has failed: what of it is with the supplier, and giving it up."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath

from app.core.i18n import N_, _
from app.core.money import Money
from app.core.structs import extend
from app.fulfillment import queries as supply
from app.fulfillment import steps
from app.fulfillment.failure_reasons import of_order
from app.fulfillment.manual_actions import ENDED, FAILED
from app.fulfillment.models import Reservation
from app.keys import queries as keys
from app.orders.models import Order
from app.queue import queries as jobs
from app.web.kernel import guards
from app.web.kernel.render import see_other
from app.web.kernel.viewer import visitor

Req = Request[Any, Any, Any]
ASK_AGAIN = {
    "words": N_("Ask again"),
    "detail": N_("Nothing was bought so far. This buys the key if there is one, even at today's price."),
}
BUY_AGAIN = {
    "words": N_("Buy again"),
    "detail": N_("The supplier has ended its order. This places a new one for the missing units."),
}


class ShownReservation(Reservation, frozen=True):
    """A reservation as an order's page shows it. ``again``: what a button asks for, in words."""

    cost: Money | None
    again: dict[str, str] | None


async def supply_of(order: Order) -> dict[str, object]:
    """Reservations with what can be done about them, and the order's trouble, for an order's page."""
    rows = await supply.of_order(order.id)
    current = supply.current(rows)
    open_to_acts = order.status == "paid" and order.frozen_at is None
    newest = {row.id for row in current} if open_to_acts else set()
    failed = order.fulfillment_status == "failed" and all(row.status in FAILED for row in current)
    return {
        "reservations": [_reservation(row, changeable=row.id in newest) for row in rows],
        "trouble": of_order(
            order, current, away=await supply.is_supplier_away(order), dead=bool(await jobs.dead_for(order.id))
        ),
        "can_give_up": open_to_acts and failed and not await keys.of_order(order.id),
    }


def _reservation(row: Reservation, *, changeable: bool) -> ShownReservation:
    again = BUY_AGAIN if row.status in ENDED else ASK_AGAIN
    return extend(
        ShownReservation,
        row,
        cost=Money(row.charged, "EUR") if row.charged is not None else None,
        again={name: _(words) for name, words in again.items()}
        if changeable and row.status in FAILED and row.item_status == "failed"
        else None,
    )


@post("/admin/orders/{order_id:str}/write-offs", include_in_schema=False, status_code=200)
async def create(request: Req, order_id: FromPath[str]) -> Response[bytes]:
    """Nothing of it can be delivered: the order has failed, and its refund is asked for."""
    order = await guards.any_order(order_id)
    async with guards.recorded(request, "order.given_up", order_id=order.id):
        await steps.give_up(order.id, by=visitor(request).actor)
    return see_other(f"/admin/orders/{order.id}")
