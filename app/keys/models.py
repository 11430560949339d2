"""What this room's queries return; never what a key seals."""

from datetime import datetime
from uuid import UUID

import msgspec


class KeyState(msgspec.Struct, frozen=True):
    """How one of an order's keys stands."""

    id: UUID
    item_id: UUID
    ordinal: int
    revealed_at: datetime | None
    deleted_at: datetime | None


class SealedKey(KeyState, frozen=True):
    """A key's row, with where its sealed blob lies; see ``tables.Key``."""

    media_type: str
    blob: str
    locked_at: datetime | None
    broken_at: datetime | None
    returned_at: datetime | None


class KeyBlob(msgspec.Struct, frozen=True):
    """Where a key's sealed blob lies."""

    id: UUID
    blob: str


class PlacedKey(KeyBlob, frozen=True):
    """The same with what it was sealed for."""

    order_id: UUID
    item_id: UUID
    ordinal: int


class KeyLink(msgspec.Struct, frozen=True):
    """A link to a sealed blob, good for so many ``seconds``."""

    key_id: UUID
    seconds: int
    url: str


class WrappedDataKey(msgspec.Struct, frozen=True):
    """An order's data key, as the master key named beside it wraps it."""

    order_id: UUID
    master_key_id: str
    wrapped: bytes
