"""What each room knows of an order, read for its page."""

import asyncio

import msgspec

from app.fulfillment import queries as supply
from app.fulfillment.models import Reservation
from app.history import queries as history
from app.history.models import Event
from app.keys import queries as keys
from app.keys.models import KeyState
from app.orders import queries as orders
from app.orders.models import OrderWithItems
from app.payments import queries as payments
from app.payments.models import Payment
from app.queue import queries as jobs
from app.refunds import queries as refunds
from app.refunds.models import Refund


class Parts(msgspec.Struct, frozen=True):
    """What each room knows of an order. ``reservations``: the current one of each item. ``dead``: a job gave it up."""

    order: OrderWithItems
    events: list[Event]
    attempts: list[Payment]
    sealed: list[KeyState]
    reservations: list[Reservation]
    dead: bool
    refunds: list[Refund]

    @property
    def ours(self) -> bool:
        """False for a merchant's: what its customer is to send is on the merchant's pages."""
        return self.order.merchant_id is None

    @property
    def keyless(self) -> bool:
        """Whether the order is over, and all of its money went back unit by unit."""
        items = self.order.items
        return self.order.status == "fulfilled" and bool(items) and all(i.withdrawn == i.quantity for i in items)

    def happened(self, kind: str) -> bool:
        return any(event.kind == kind for event in self.events)


async def read(order: OrderWithItems) -> Parts:
    """The timeline is read first and the order again after it: what is shown is then never older than the cursor that
    the page listens from, or it would wait for news that it has missed."""
    events = await history.timeline(order.id)
    fresh, attempts, sealed, reservations, dead, going_back = await asyncio.gather(
        orders.one(order.id),
        payments.of_order(order.id),
        keys.of_order(order.id),
        supply.of_order(order.id),
        jobs.dead_for(order.id),
        refunds.of_order(order.id),
    )
    return Parts(fresh or order, events, attempts, sealed, supply.current(reservations), bool(dead), going_back)
