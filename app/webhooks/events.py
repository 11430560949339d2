"""The events that an order's timeline means to its merchant. Pure: the same timeline always gives the same events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.history.models import Event

_CONFIRMING = ("payment.confirming", {"status": "confirming", "failure": None})
KINDS: dict[str, tuple[str, Mapping[str, object]]] = {
    "order.paid": ("order.paid", {"status": "paid", "fulfilled": None}),
    "order.fulfilled": ("order.fulfilled", {"status": "fulfilled"}),
    "payment.pending": ("payment.pending", {"status": "pending", "failure": None}),
    "payment.confirming": _CONFIRMING,
    "payment.confirmed": _CONFIRMING,
    "payment.sending": _CONFIRMING,
    "payment.finished": ("payment.success", {"status": "success"}),
    "payment.failed": ("payment.failed", {"status": "failed"}),
    "payment.cancelled": ("payment.failed", {"status": "cancelled", "failure": "cancelled"}),
    "payment.expired": ("payment.expired", {"status": "expired"}),
    "payment.partially_paid": ("payment.underpaid", {"status": "underpaid"}),
    "payment.overpaid": ("payment.overpaid", {"overpaid": True}),
    "refund.processing": ("refund.processing", {"status": "processing"}),
    "refund.pending": ("refund.pending", {"status": "pending"}),
    "refund.processed": ("refund.processed", {"status": "processed"}),
    "refund.failed": ("refund.failed", {"status": "failed"}),
}
"""Kind on the timeline → the event's type, and what its object said of itself in that moment."""


@dataclass(frozen=True, slots=True)
class OutboundEvent:
    """An event before it has its data. ``seq``: the number of the timeline's line that it comes from."""

    seq: int
    at: datetime
    type: str
    object: str
    object_id: UUID
    sequence: int
    then: Mapping[str, Any]


def derive_events(order_id: UUID, timeline: Iterable[Event]) -> list[OutboundEvent]:
    """All events of an order's whole timeline. Each object's ``sequence`` counts its own from 1.

    A payment that goes from one kind of confirming to the next is news only once.
    """
    events: list[OutboundEvent] = []
    for line in timeline:
        type_, then = KINDS.get(line.kind, ("", {}))
        object_ = type_.partition(".")[0]
        object_id = _object(order_id, object_, line.data)
        if not type_ or object_id is None:
            continue
        earlier = [one for one in events if one.object_id == object_id]
        if type_ == "payment.confirming" and any(one.type == type_ for one in earlier):
            continue
        events.append(OutboundEvent(line.seq, line.at, type_, object_, object_id, len(earlier) + 1, then))
    return events


def _object(order_id: UUID, object_: str, data: Mapping[str, Any]) -> UUID | None:
    """The row it is about; None where the line does not say: such a one is about a customer of ours, not a merchant."""
    if object_ == "order":
        return order_id
    named = data.get(f"{object_}_id") or (data.get("refund") if object_ == "refund" else None)
    return UUID(named) if named else None
