"""What this room's queries return."""

from datetime import datetime
from uuid import UUID

import msgspec


class ReceivedNotice(msgspec.Struct, frozen=True):
    """A genuine notice as a line of the list; see ``tables.InboundWebhook``."""

    id: UUID
    provider: str
    dedupe: str
    received_at: datetime
    status: str
    outcome: str | None


class KeptNotice(ReceivedNotice, frozen=True):
    """The same with all that was received."""

    headers: dict[str, str]
    body: bytes
    applied_at: datetime | None


class RefusedNotice(msgspec.Struct, frozen=True):
    """Posts that were not genuine, of one provider, reason and hour, with one sample each."""

    id: str
    provider: str
    reason: str
    posts: int
    sample_headers: dict[str, str]
    sample_body: str
    sample_ip: str
    first_at: datetime
    last_at: datetime
