"""Writing the timeline."""

from typing import Any
from uuid import UUID

from app.core import clock, db, live
from app.core.db import Write, encode


def opening(subject: UUID, kind: str, **data: Any) -> tuple[Write, Write]:
    """The first event of a new subject, number 1, to be written together with it. Nobody can be listening yet."""
    return (
        Write("INSERT INTO timeline (subject, last_seq) VALUES ($1, 1)", (subject,)),
        Write(
            "INSERT INTO event (subject, seq, kind, data, at) VALUES ($1, 1, $2, $3::jsonb, $4)",
            (subject, kind, encode(data), clock.now()),
        ),
    )


async def record(subject: UUID, kind: str, **data: Any) -> int:
    """Add one event to the subject's timeline and announce it after the commit. Returns its number, from 1.

    The counter's row lock is held to the end of the transaction: a subject's events become visible in order. Lock the
    subject's own row first wherever a transaction touches both.
    """
    seq: int = await db.fetch_value(
        """WITH next AS (
             INSERT INTO timeline (subject, last_seq) VALUES ($1, 1)
             ON CONFLICT (subject) DO UPDATE SET last_seq = timeline.last_seq + 1 RETURNING last_seq)
           INSERT INTO event (subject, seq, kind, data, at) SELECT $1, last_seq, $2, $3::jsonb, $4 FROM next
           RETURNING seq""",
        subject, kind, encode(data), clock.now(),
    )  # fmt: skip
    live.announce(subject, seq)
    return seq
