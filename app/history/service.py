"""Writing the timeline."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.core import clock, db, event_hub
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

    Lock the subject's own row first wherever a transaction touches both.
    """
    return await record_each(subject, (kind, data))


async def record_each(subject: UUID, *events: tuple[str, Mapping[str, Any]]) -> int:
    """Add several events, of one moment, in this order. Returns the last one's number.

    The counter's row lock is held to the end of the transaction: a subject's events become visible in order. Lock the
    subject's own row first wherever a transaction touches both.
    """
    seq: int = await db.fetch_value(
        """WITH next AS (
             INSERT INTO timeline (subject, last_seq) VALUES ($1, $2)
             ON CONFLICT (subject) DO UPDATE SET last_seq = timeline.last_seq + $2 RETURNING last_seq),
           added AS (
             INSERT INTO event (subject, seq, kind, data, at) SELECT $1, last_seq - $2 + place, kind, data, $5
             FROM next, unnest($3::text[], $4::jsonb[]) WITH ORDINALITY AS e (kind, data, place))
           SELECT last_seq FROM next""",
        subject, len(events), [kind for kind, _ in events], [encode(data) for _, data in events], clock.now(),
    )  # fmt: skip
    event_hub.announce(subject, seq)
    return seq
