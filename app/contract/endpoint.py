"""A webhook endpoint as its merchant sees it: without its secrets."""

from datetime import datetime
from typing import Annotated, Any, Literal, Protocol, Self
from uuid import UUID

import msgspec
from msgspec import Meta

from app.contract import fields
from app.contract.event_types import TEST, TYPES
from app.contract.fields import Mode, Time, one_of

EventWord = Annotated[str, one_of((*TYPES, TEST))]


class EndpointRow(Protocol):
    """An endpoint as ``app.webhooks.queries`` reads it."""

    @property
    def id(self) -> UUID: ...
    @property
    def test(self) -> bool: ...
    @property
    def url(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def types(self) -> list[str]: ...
    @property
    def disabled_at(self) -> datetime | None: ...
    @property
    def disabled_why(self) -> str | None: ...
    @property
    def created_at(self) -> datetime: ...


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where events are sent to. Its secret is shown once, when it is made or rotated."""

    id: Annotated[UUID, Meta(description="The endpoint's id.")]
    object: Annotated[Literal["endpoint"], Meta(description="Always endpoint.")]
    mode: Annotated[Mode, Meta(description="test or live.")]
    url: Annotated[str, Meta(description="Its URL.")]
    name: Annotated[str, Meta(description="Its name.")]
    types: Annotated[list[EventWord], Meta(description="The events it receives; all, if there are none.")]
    disabled: Annotated[Time | None, Meta(description="Since when it is sent nothing; null while it is sent events.")]
    disabled_why: Annotated[str | None, Meta(description="Why it is disabled.")]
    created: Annotated[Time, Meta(description="When it was created.")]

    @classmethod
    def from_row(cls, row: EndpointRow, **more: Any) -> Self:
        """By its row; ``more``: members that a subclass adds."""
        return cls(
            id=row.id,
            object="endpoint",
            mode=fields.mode(row.test),
            url=row.url,
            name=row.name,
            types=row.types,
            disabled=fields.time_or_none(row.disabled_at),
            disabled_why=row.disabled_why,
            created=fields.time(row.created_at),
            **more,
        )


class EndpointWithSecret(Endpoint, frozen=True, kw_only=True):
    """`secret` signs what is sent; it is shown in this answer alone."""

    secret: Annotated[str, Meta(pattern="^whsec_[A-Za-z0-9+/=]+$", description="What its requests are signed with.")]

    def __repr__(self) -> str:
        return f"<EndpointWithSecret {self.id}>"


class EndpointRemoved(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that is no more."""

    id: UUID
    object: Literal["endpoint"]
    deleted: Literal[True]


class TestEventSent(msgspec.Struct, frozen=True, kw_only=True):
    """A test event that is about to be sent."""

    event_id: UUID
    endpoint_id: UUID


class DeliveriesRetried(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries are sent to an endpoint again."""

    endpoint_id: UUID
    retried: Annotated[int, Meta(ge=0)]
