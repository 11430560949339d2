"""What this room's queries return."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.mail.states import LetterStatus


class LetterState(msgspec.Struct, frozen=True):
    """How a letter stands, without its content."""

    id: UUID
    kind: str
    status: LetterStatus
    created_at: datetime
    sent_at: datetime | None


class LetterAbout(LetterState, frozen=True):
    """A letter about an order. ``stuck``: the job that sends it has given up. ``link_id``: the link it carries."""

    recipient: str
    error: str | None
    link_id: str | None
    stuck: bool


class LetterContent(msgspec.Struct, frozen=True):
    """What a letter was written from, so that it can be written again. ``context``: JSON."""

    kind: str
    context: str


class SentLetter(msgspec.Struct, frozen=True):
    """What became of a letter, for whoever it is about (``subject``)."""

    id: UUID
    subject: UUID | None
    kind: str
    recipient: str
    status: LetterStatus
    error: str | None
