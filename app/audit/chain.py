"""The chain itself: what a line's digest covers, and how a chain is followed.

A digest is HMAC-SHA256 over the line's fields and the digest before it, each after its length. Who can write to the
tables but has no key can change nothing without its showing.
"""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from app.audit.models import Line
from app.core.crypto import bound
from app.core.i18n import _

GENESIS = bytes(32)  # stands for the digest before line 1
FORMAT = b"bitloot audit line 1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LENGTHS = {"action": 32, "actor": 340, "ip": 45, "user_agent": 400, "details": 500}


@dataclass(frozen=True, slots=True)
class Entry:
    """What a line says, without its number."""

    at: datetime
    action: str
    order_id: UUID | None
    key_id: UUID | None
    actor: str
    ip: str
    user_agent: str
    details: str

    @classmethod
    def of(cls, row: Line) -> Self:
        """What a stored line says, to the letter."""
        return cls(*(getattr(row, name) for name in cls.__dataclass_fields__))

    def fitted(self) -> Self:
        """The same with texts as Postgres can hold them, cut to LENGTHS: they come from anybody."""
        return replace(
            self, action=_fit(self.action, "action"), actor=_fit(self.actor, "actor"), ip=_fit(self.ip, "ip"),
            user_agent=_fit(self.user_agent, "user_agent"), details=_fit(self.details, "details"),
        )  # fmt: skip


def _fit(text: str, field: str) -> str:
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()[: LENGTHS[field]]


def digest(key: bytes, seq: int, entry: Entry, previous: bytes) -> bytes:
    """The 32 bytes that bind a line to its place."""
    micros = (entry.at.astimezone(UTC) - EPOCH) // timedelta(microseconds=1)
    ids = (found.bytes if found else b"" for found in (entry.order_id, entry.key_id))
    texts = (text.encode() for text in (entry.action, entry.actor, entry.ip, entry.user_agent, entry.details))
    number, at = seq.to_bytes(8, "big", signed=True), micros.to_bytes(8, "big", signed=True)
    return hmac.digest(key, bound(FORMAT, number, at, *ids, *texts, previous), hashlib.sha256)


@dataclass(frozen=True, slots=True)
class ChainFault:
    """The first line that is not as it was written, and why."""

    seq: int
    why: str

    def __str__(self) -> str:
        return f"line {self.seq} {self.why}"


class Walk:
    """Follows a chain from its first line. Without a key it sees that lines follow one another, not who wrote them."""

    def __init__(self, key: bytes | None) -> None:
        self._key = key
        self.seq, self.digest = 0, GENESIS

    def step(self, row: Line) -> ChainFault | None:
        """Go on to the next line; what is wrong with it, if anything is."""
        expected = self.seq + 1
        if row.seq > expected:
            return ChainFault(expected, "is missing")
        if row.seq < expected:
            return ChainFault(row.seq, "was added")
        if row.previous != self.digest:
            return ChainFault(
                expected, _("does not follow the line before it: one of them was replaced or changed places")
            )
        if self._key is not None and not _genuine(self._key, row):
            return ChainFault(expected, _("was changed or added: its digest is not ours"))
        self.seq, self.digest = expected, row.digest
        return None


def _genuine(key: bytes, row: Line) -> bool:
    try:
        return digest(key, row.seq, Entry.of(row), row.previous) == bytes(row.digest)
    except (AttributeError, TypeError, OverflowError):
        return False  # a NULL or an infinite time, where the table as we made it allows none
