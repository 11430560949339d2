"""An event as it is sent: what happened, and its object as it was then."""

from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.contract.endpoint import EventWord
from app.contract.fields import Mode, Time
from app.contract.order import Order
from app.contract.payment import ASKING, Payment
from app.contract.refund import Refund


class TestedEndpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a test event is about: the endpoint it was sent to."""

    id: Annotated[UUID, Meta(description="The endpoint's id.")]
    object: Annotated[Literal["endpoint"], Meta(description="Always endpoint.")]
    url: Annotated[str, Meta(description="Its URL.")]
    name: Annotated[str, Meta(description="Its name.")]


EventData = Order | Payment | Refund | TestedEndpoint
KINDS: tuple[type[EventData], ...] = (Order, Payment, Refund, TestedEndpoint)
# msgspec knows no union of Structs that are told apart by another member than their first.
_AnyData = Annotated[
    object,
    Meta(
        description="The object as it was then.",
        extra_json_schema={"anyOf": [{"$ref": f"#/components/schemas/{kind.__name__}"} for kind in KINDS]},
    ),
]


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened. `data` is the object as it was then; `sequence` counts that object's events."""

    id: Annotated[
        UUID,
        Meta(
            description="The event's id, the same at each attempt and in the feed. Remember the ids you have handled."
        ),
    ]
    type: Annotated[EventWord, Meta(description="What happened.")]
    mode: Annotated[Mode, Meta(description="The mode it belongs to.")]
    created: Annotated[Time, Meta(description="When it happened.")]
    object: Annotated[str, Meta(description="The kind of object it is about.")]
    object_id: Annotated[UUID, Meta(description="Its id.")]
    sequence: Annotated[
        int,
        Meta(
            ge=1,
            description="Counts the events of this object from 1, without gaps: ignore a lower one than you have "
            "handled.",
        ),
    ]
    data: _AnyData


class NumberedEvent(Event, frozen=True, kw_only=True):
    """An event in the feed. `number` counts the whole feed."""

    number: Annotated[int, Meta(ge=1, description="Its place in the feed, without gaps.")]


def as_it_was(now: EventData, then: Mapping[str, object]) -> EventData:
    """An object as it was when its event happened; what had ended by then offers no address and no link.

    ``then``: the members that told of that moment, by their names.
    """
    data = msgspec.structs.replace(now, **then)
    if isinstance(data, Refund) and data.status != "pending":
        return msgspec.structs.replace(data, claim_url=None)
    if isinstance(data, Payment) and data.crypto and data.status not in ASKING:
        return msgspec.structs.replace(data, crypto=data.crypto.closed())
    return data
