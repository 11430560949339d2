"""A delivery as its merchant sees it: one event's way to one endpoint."""

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol, Self
from uuid import UUID

import msgspec
from msgspec import Meta

from app.contract import fields
from app.contract.endpoint import EventWord
from app.contract.event import Event
from app.contract.fields import Mode, Time, one_of

STATUSES = ("pending", "retrying", "delivered", "failed")


class DeliveryRow(Protocol):
    """A delivery as ``app.webhooks.queries`` reads it."""

    @property
    def id(self) -> UUID: ...
    @property
    def test(self) -> bool: ...
    @property
    def endpoint_id(self) -> UUID: ...
    @property
    def event_id(self) -> UUID: ...
    @property
    def type(self) -> str: ...
    @property
    def object_id(self) -> UUID: ...
    @property
    def status(self) -> str: ...
    @property
    def tries(self) -> int: ...
    @property
    def last_at(self) -> datetime | None: ...
    @property
    def answered(self) -> int | None: ...
    @property
    def outcome(self) -> str | None: ...
    @property
    def next_at(self) -> datetime | None: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def ended_at(self) -> datetime | None: ...


class AttemptRow(Protocol):
    """One request as ``app.webhooks.queries`` reads it."""

    @property
    def number(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def ms(self) -> int: ...
    @property
    def outcome(self) -> str: ...
    @property
    def status(self) -> int | None: ...
    @property
    def address(self) -> str | None: ...
    @property
    def headers(self) -> dict[str, dict[str, str]]: ...
    @property
    def response(self) -> str: ...
    @property
    def error(self) -> str | None: ...


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event's way to one endpoint."""

    id: Annotated[UUID, Meta(description="The delivery's id.")]
    object: Annotated[Literal["delivery"], Meta(description="Always delivery.")]
    mode: Annotated[Mode, Meta(description="test or live.")]
    endpoint_id: Annotated[UUID, Meta(description="The endpoint that it goes to.")]
    event_id: Annotated[UUID, Meta(description="The event that it brings.")]
    type: Annotated[EventWord, Meta(description="The event's type.")]
    object_id: Annotated[UUID, Meta(description="What the event is about.")]
    status: Annotated[str, one_of(STATUSES), Meta(description="Its status.")]
    attempts: Annotated[int, Meta(description="How many requests were made.")]
    last_attempt: Annotated[Time | None, Meta(description="When the last one was made.")]
    last_status: Annotated[int | None, Meta(description="The HTTP status that it was answered with.")]
    last_outcome: Annotated[str | None, Meta(description="How it went, in a word such as delivered or timeout.")]
    next_attempt: Annotated[Time | None, Meta(description="When the next one is made.")]
    created: Annotated[Time, Meta(description="When it was queued.")]
    ended: Annotated[Time | None, Meta(description="When it was delivered or given up.")]

    @classmethod
    def from_row(cls, row: DeliveryRow, **more: Any) -> Self:
        """By its row as ``app.webhooks.queries`` reads it; ``more``: members that a subclass adds."""
        return cls(
            id=row.id,
            object="delivery",
            mode=fields.mode(row.test),
            endpoint_id=row.endpoint_id,
            event_id=row.event_id,
            type=row.type,
            object_id=row.object_id,
            status=row.status,
            attempts=row.tries,
            last_attempt=fields.time_or_none(row.last_at),
            last_status=row.answered,
            last_outcome=row.outcome,
            next_attempt=fields.time_or_none(row.next_at),
            created=fields.time(row.created_at),
            ended=fields.time_or_none(row.ended_at),
            **more,
        )


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One request to the endpoint and what came back: the first bytes of it, secrets masked."""

    number: Annotated[int, Meta(description="Counts the attempts of a round from 1.")]
    at: Annotated[Time, Meta(description="When it was made.")]
    ms: Annotated[int, Meta(description="How long it took, in milliseconds.")]
    outcome: Annotated[str, Meta(description="How it went, in a word such as delivered or timeout.")]
    status: Annotated[int | None, Meta(description="The HTTP status of the answer.")]
    address: Annotated[str | None, Meta(description="The IP address that it went to.")]
    headers: Annotated[
        dict[str, dict[str, str]], Meta(description="Those of the `request` and of the `response`, secrets masked.")
    ]
    response: Annotated[str, Meta(description="The first bytes of the answer's body.")]
    error: Annotated[str | None, Meta(description="Why there was no answer.")]

    @classmethod
    def from_row(cls, row: AttemptRow) -> Self:
        """By its row as ``app.webhooks.queries`` reads it."""
        return cls(
            number=row.number,
            at=fields.time(row.at),
            ms=row.ms,
            outcome=row.outcome,
            status=row.status,
            address=row.address,
            headers=row.headers,
            response=row.response,
            error=row.error,
        )


class DeliveryWithLog(Delivery, frozen=True, kw_only=True):
    """`payload` is what is sent, `log` every attempt, the oldest first."""

    payload: Event
    log: list[Attempt]
