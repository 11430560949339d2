"""The events we send: when each is sent, what to do then, an example. The pages at ``/docs/events`` read it here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec

from app.contract import examples
from app.contract.event import Event, EventData, TestedEndpoint, as_it_was
from app.contract.event_types import TEST
from app.contract.order import Order
from app.contract.payment import Payment
from app.contract.refund import Refund

OBJECTS: dict[str, type[EventData]] = {
    "order": Order, "payment": Payment, "refund": Refund, "endpoint": TestedEndpoint,
}  # fmt: skip
_DATA: dict[str, EventData] = {
    "order": examples.ORDER, "payment": examples.CRYPTO_PAYMENT, "refund": examples.REFUND, "endpoint": examples.TESTED,
}  # fmt: skip


@dataclass(frozen=True)
class EventType:
    """``about``: what kind of object; ``when`` it is sent; ``do``: what a shop does then.

    ``statuses``: what its object can say of itself, the usual one first; none is any. ``changes``: the example's
    members that differ from the usual object. ``sequence``: the example's.
    """

    name: str
    about: str
    statuses: tuple[str, ...]
    when: str
    do: str
    changes: Mapping[str, object] = field(default_factory=dict)
    sequence: int = 1

    @property
    def example(self) -> Event:
        """A whole event."""
        then = ({"status": self.statuses[0]} if self.statuses else {}) | dict(self.changes)
        data = as_it_was(_DATA[self.about], then)
        return Event(
            id=UUID(f"0199d2f0-5e3a-7c61-9b1f-{list(EVENTS).index(self.name):012x}"), type=self.name, mode="test",
            created=examples.TOLD, object=self.about, object_id=data.id, sequence=self.sequence, data=data,
        )  # fmt: skip

    @property
    def payload(self) -> dict[str, Any]:
        """The example as JSON has it."""
        return dict(msgspec.to_builtins(self.example))


def _coins(received: str) -> dict[str, object]:
    return {"crypto": msgspec.structs.replace(examples.COINS, received=received)}


_ALL = _coins("0.00054321")
EVENTS = {
    event.name: event
    for event in (
        EventType(
            "order.paid", "order", ("paid",),
            "Once, when the order's money has arrived in full, by whichever of its payments.",
            "Ship. This is the event to deliver on.",
            {"paid": examples.LATER},
        ),
        EventType(
            "order.fulfilled", "order", ("fulfilled",),
            "Once, right after order.paid: there is nothing left for us to do.",
            "Nothing, unless you count finished orders.",
            {"paid": examples.LATER, "fulfilled": examples.LATER}, sequence=2,
        ),
        EventType(
            "payment.pending", "payment", ("pending",),
            "When a payment can be paid: its address or form is ready.",
            "Show the customer where to pay, if you don't use our checkout.",
        ),
        EventType(
            "payment.confirming", "payment", ("confirming",),
            "When the money was seen and is being confirmed, or a card or UPI payment is being processed.",
            "Tell the customer that it is on its way. Don't ship.",
            _ALL, sequence=2,
        ),
        EventType(
            "payment.success", "payment", ("success",),
            "When the full amount has arrived and is confirmed.",
            "Book it. Ship on order.paid.",
            _ALL | {"captured": "49.90"}, sequence=3,
        ),
        EventType(
            "payment.failed", "payment", ("failed", "cancelled"),
            "When the payment has failed: declined, broken off, or cancelled by you (failure is cancelled).",
            "Offer another try: the order can still be paid.",
            {
                "method": "card", "crypto": None, "expires": None, "failure": "declined",
                "details": {"last4": "0002", "network": "visa"},
            }, sequence=2,
        ),
        EventType(
            "payment.expired", "payment", ("expired",),
            "When time ran out before the money arrived. Coins that arrive later still count, and you get an event.",
            "Offer another try: the order can still be paid.", sequence=2,
        ),
        EventType(
            "payment.underpaid", "payment", ("underpaid",),
            "When less than its amount arrived, beyond the tolerance.",
            "Ask for the rest with another payment, or refund what arrived.",
            _coins("0.00027") | {"captured": "24.80", "underpaid": True, "missing": "25.10"}, sequence=3,
        ),
        EventType(
            "payment.overpaid", "payment", (),
            "When more arrived than was asked for, or money for an order that needed none. It comes after the event "
            "that tells of the money itself, and again when still more arrives.",
            "Refund the excess, unless you agree something else with the customer.",
            _ALL | {"status": "success", "captured": "54.90", "overpaid": True, "excess": "5.00"}, sequence=4,
        ),
        EventType(
            "refund.pending", "refund", ("pending",), "When a refund was created.",
            "Tell the customer that money is on its way back.",
        ),
        EventType(
            "refund.processing", "refund", ("processing",), "When the money is being sent.",
            "Nothing: the next event says how it ended.", sequence=2,
        ),
        EventType(
            "refund.processed", "refund", ("processed",), "When the money went out.", "Book it.",
            {
                "transaction": "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16",
                "ended": examples.LATER,
            }, sequence=3,
        ),
        EventType(
            "refund.failed", "refund", ("failed",), "When the money could not be sent; error says why.",
            "Correct what error says and create a new refund; no money was sent.",
            {"error": "The address was refused.", "ended": examples.LATER}, sequence=3,
        ),
        EventType(
            TEST, "endpoint", (), "When you press Send a test event, to that endpoint only.",
            "Answer with 2xx: then the endpoint works.",
        ),
    )
}  # fmt: skip
