"""What this room's queries return. Only ``KnownKey`` holds a secret's hash."""

from datetime import datetime
from uuid import UUID

import msgspec


class Merchant(msgspec.Struct, frozen=True):
    """A merchant; see ``tables.Merchant``."""

    id: UUID
    name: str
    origins: list[str]
    created_at: datetime
    closed_at: datetime | None


class PublishableKey(Merchant, frozen=True):
    """The merchant of a publishable key in use, and the key's mode."""

    test: bool


class ApiKey(msgspec.Struct, frozen=True):
    """One of a merchant's keys; see ``tables.ApiKey``."""

    id: UUID
    merchant_id: UUID
    test: bool
    kind: str
    name: str
    key: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    in_use: bool


class KeptKey(msgspec.Struct, frozen=True):
    """What a key that is about to be rotated or revoked hands on."""

    test: bool
    name: str
    key: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class KnownKey(msgspec.Struct, frozen=True):
    """A key that a request names. ``good``: it is a secret one, in use, of an open merchant."""

    id: UUID
    merchant_id: UUID
    test: bool
    secret_hash: bytes | None
    scopes: list[str]
    last_used_at: datetime | None
    good: bool


class KeptReply(msgspec.Struct, frozen=True):
    """What a request was answered, and the hash of that request."""

    request_hash: str
    status: int
    body: bytes


class Turn(msgspec.Struct, frozen=True):
    """Whether a request goes first, and what one with its key was answered already, if any was."""

    ours: bool
    request_hash: str | None
    status: int | None
    body: bytes | None

    @property
    def reply(self) -> KeptReply | None:
        if self.request_hash is None or self.status is None or self.body is None:
            return None
        return KeptReply(self.request_hash, self.status, self.body)


class TeamSize(msgspec.Struct, frozen=True):
    """How many people a merchant's team has."""

    merchant_id: UUID
    members: int


class Member(msgspec.Struct, frozen=True):
    """A person of a merchant's team; invited while ``joined_at`` is None. See ``tables.Member``."""

    id: UUID
    merchant_id: UUID
    email: str
    invited_by: str
    invited_at: datetime
    joined_at: datetime | None
    link_id: UUID | None


class Invitation(Member, frozen=True):
    """An open invitation with the name of the merchant whose team it is to."""

    merchant_name: str
