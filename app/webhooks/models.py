"""What this room's queries return. Secrets are sealed in all of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from app.webhooks.states import DeliveryStatus


@dataclass(frozen=True, slots=True)
class Retired:
    """A sealed secret that was rotated away and still counts ``until`` its overlap is over."""

    sealed: bytes
    until: datetime


class Secrets(msgspec.Struct, frozen=True):
    """What an endpoint's requests are signed with: its newest secret, and those before it that still count."""

    secret: bytes
    old_secret: bytes | None
    old_until: datetime | None
    older_secrets: list[Retired]


class SecretsOf(Secrets, frozen=True):
    id: UUID


class Endpoint(SecretsOf, frozen=True):
    """An endpoint's row; see ``tables.Endpoint``."""

    merchant_id: UUID
    test: bool
    url: str
    name: str
    types: list[str]
    failing_since: datetime | None
    failures: int
    succeeded_at: datetime | None
    disabled_at: datetime | None
    disabled_why: str | None
    deleted_at: datetime | None
    created_at: datetime


class Subscription(msgspec.Struct, frozen=True):
    """Which events an endpoint wants, all where ``types`` is empty, and whether it is sent any now."""

    id: UUID
    types: list[str]
    disabled_at: datetime | None


class Delivery(msgspec.Struct, frozen=True):
    """An event's way to an endpoint, with both, and how its last attempt went. ``payload`` is the exact body."""

    id: UUID
    endpoint_id: UUID
    event_id: UUID
    status: DeliveryStatus
    attempts: int
    next_at: datetime | None
    lease_until: datetime | None
    created_at: datetime
    ended_at: datetime | None
    type: str
    object: str
    object_id: UUID
    order_id: UUID
    sequence: int
    number: int
    payload: str
    test: bool
    happened_at: datetime
    removed_at: datetime | None
    url: str
    endpoint_name: str
    disabled_at: datetime | None
    last_at: datetime | None
    outcome: str | None
    ms: int | None
    answered: int | None
    error: str | None
    tries: int


class ClaimedDelivery(Secrets, frozen=True):
    """A delivery that somebody is about to send, with what its endpoint asks for."""

    id: UUID
    endpoint_id: UUID
    url: str
    test: bool
    attempts: int
    event_id: UUID
    lease_until: datetime
    payload: str


class LoggedAttempt(msgspec.Struct, frozen=True):
    """One request. ``headers``: ``{"request": {…}, "response": {…}}``, secrets masked."""

    number: int
    at: datetime
    ms: int
    outcome: str
    status: int | None
    address: str | None
    headers: dict[str, dict[str, str]]
    response: str
    error: str | None


class MerchantEvent(msgspec.Struct, frozen=True):
    """One event of a merchant's feed; ``payload`` is the exact body."""

    id: UUID
    number: int
    type: str
    object: str
    object_id: UUID
    order_id: UUID
    sequence: int
    payload: str
    created_at: datetime
