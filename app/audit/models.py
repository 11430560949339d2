"""What this room's queries return, and what a bundle's lines are read into."""

from datetime import datetime
from uuid import UUID

import msgspec


class ShownLine(msgspec.Struct, frozen=True):
    """A line as people read it, see ``tables.AuditLine``."""

    seq: int
    at: datetime
    action: str
    order_id: UUID | None
    key_id: UUID | None
    actor: str
    ip: str
    user_agent: str
    details: str


class Line(ShownLine, frozen=True):
    """A line with what chains it."""

    previous: bytes
    digest: bytes


class Head(msgspec.Struct, frozen=True):
    """The last line's number and digest."""

    seq: int
    digest: bytes


class Tip(msgspec.Struct, frozen=True):
    """Where the head says the log ends (``seq``, ``digest``), and where it does (``last``); None where nothing is."""

    seq: int | None
    digest: bytes | None
    last: int | None
