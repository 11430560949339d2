"""Opening and resolving issues. Both join the surrounding transaction."""

from uuid import UUID

from app.core import db
from app.core.ids import new_id

SYSTEM = "system"  # resolved because the reason went away by itself
LONGEST_DETAIL = 2000  # characters; a provider's words may be of any length
LONGEST_SUBJECT = 160  # characters, as wide as the column


async def open_issue(subject: str, code: str, detail: str) -> bool:
    """Put a matter on the list of what needs a person.

    Args:
        subject: what it is about, as ``kind:id`` or a bare word.
        code: which matter; a key of the admin page's titles.
        detail: the facts in plain words, without secrets. An issue that is open already takes the new detail.

    Returns whether it was not open before.
    """
    # xmax is 0 only in a row that this statement inserted.
    opened = await db.fetch_value(
        """INSERT INTO issue (id, subject, code, detail, opened_at, said_at) VALUES ($1, $2, $3, $4, now(), now())
           ON CONFLICT (subject, code) WHERE resolved_at IS NULL
             DO UPDATE SET detail = EXCLUDED.detail, said_at = EXCLUDED.said_at
           RETURNING xmax = 0""",
        new_id(), subject[:LONGEST_SUBJECT], code, detail[:LONGEST_DETAIL],
    )  # fmt: skip
    return bool(opened)


async def resolve(subject: str, code: str | None = None, *, by: str = SYSTEM) -> int:
    """End the open issues of ``subject``: those with this ``code``, or all. Returns how many there were."""
    rows = await db.fetch(
        """UPDATE issue SET resolved_at = now(), resolved_by = $3
           WHERE subject = $1 AND ($2::text IS NULL OR code = $2) AND resolved_at IS NULL RETURNING id""",
        subject[:LONGEST_SUBJECT], code, by,
    )  # fmt: skip
    return len(rows)


async def resolve_one(issue_id: UUID, *, by: str) -> bool:
    """End one open issue by hand. False if it is not open."""
    sql = "UPDATE issue SET resolved_at = now(), resolved_by = $2 WHERE id = $1 AND resolved_at IS NULL RETURNING id"
    return bool(await db.fetch(sql, issue_id, by))
