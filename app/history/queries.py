"""Reading timelines."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.core import db


async def has(subject: UUID, kind: str, *, after: int = 0) -> bool:
    """Whether an event of this kind stands in a subject's timeline, with a number above ``after``."""
    sql = "SELECT EXISTS (SELECT FROM event WHERE subject = $1 AND kind = $2 AND seq > $3)"
    return bool(await db.fetch_value(sql, subject, kind, after))


async def timeline(subject: UUID, *, after: int = 0) -> list[dict[str, Any]]:
    """Events of a subject with a number above ``after``, oldest first: ``{seq, kind, data, at}``."""
    rows = await db.fetch(
        "SELECT seq, kind, data, at FROM event WHERE subject = $1 AND seq > $2 ORDER BY seq", subject, after
    )
    return [{"seq": r["seq"], "kind": r["kind"], "data": json.loads(r["data"]), "at": r["at"]} for r in rows]


async def last_seqs(subjects: Sequence[UUID]) -> dict[UUID, int]:
    """The newest event number of each subject that has any."""
    rows = await db.fetch("SELECT subject, last_seq FROM timeline WHERE subject = ANY($1)", list(subjects))
    return {row["subject"]: row["last_seq"] for row in rows}
