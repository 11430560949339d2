"""Reading timelines."""

from collections.abc import Sequence
from uuid import UUID

from app.core import db
from app.history.models import Event


async def has(subject: UUID, kind: str, *, after: int = 0) -> bool:
    """Whether an event of this kind stands in a subject's timeline, with a number above ``after``."""
    sql = "SELECT EXISTS (SELECT FROM event WHERE subject = $1 AND kind = $2 AND seq > $3)"
    return bool(await db.fetch_value(sql, subject, kind, after))


async def timeline(subject: UUID, *, after: int = 0) -> list[Event]:
    """Events of a subject with a number above ``after``, oldest first."""
    return await db.fetch_as(
        Event, "SELECT seq, kind, data, at FROM event WHERE subject = $1 AND seq > $2 ORDER BY seq", subject, after
    )


async def last_seqs(subjects: Sequence[UUID]) -> dict[UUID, int]:
    """The newest event number of each subject that has any."""
    rows = await db.fetch("SELECT subject, last_seq FROM timeline WHERE subject = ANY($1)", list(subjects))
    return {row["subject"]: row["last_seq"] for row in rows}
