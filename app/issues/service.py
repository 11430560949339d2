"""Opening and resolving issues. Both join the surrounding transaction."""

from collections.abc import Collection

from app.core import db
from app.core.errors import Conflict
from app.core.ids import new_id
from app.issues.codes import IssueCode, matter
from app.issues.models import Issue

SYSTEM = "system"  # resolved because the reason went away by itself
LONGEST_DETAIL = 2000  # characters; a provider's words may be of any length
LONGEST_SUBJECT = 160  # characters, as wide as the column
LONGEST_NOTE = 500  # characters, as wide as the column


class EndsByItself(Conflict):
    title = "This issue can't be marked as resolved"


async def open_issue(subject: str, code: IssueCode, detail: str) -> bool:
    """Put a matter on the list of what needs a person.

    Args:
        subject: what it is about, as ``kind:id`` or a bare word.
        code: which matter.
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


async def resolve(subject: str, *codes: IssueCode, by: str = SYSTEM) -> int:
    """End the open issues of ``subject`` with these ``codes``. Returns how many there were."""
    return await resolve_each(subject, codes, by=by)


async def resolve_each(subject: str, codes: Collection[IssueCode], *, by: str = SYSTEM) -> int:
    """As ``resolve``, for a set of codes."""
    rows = await db.fetch(
        """UPDATE issue SET resolved_at = now(), resolved_by = $3
           WHERE subject = $1 AND code = ANY($2) AND resolved_at IS NULL RETURNING id""",
        subject[:LONGEST_SUBJECT], list(codes), by,
    )  # fmt: skip
    return len(rows)


async def mark_resolved(issue: Issue, *, by: str, note: str = "") -> bool:
    """A person says that a matter is settled. False where it is not open any more.

    Raises EndsByItself for a matter whose state decides: marking it would only hide what stands.
    """
    if ends := matter(issue.code).ends:
        raise EndsByItself(ends)
    rows = await db.fetch(
        """UPDATE issue SET resolved_at = now(), resolved_by = $2, note = nullif($3, '')
           WHERE id = $1 AND resolved_at IS NULL RETURNING id""",
        issue.id, by, note.strip()[:LONGEST_NOTE],
    )  # fmt: skip
    return bool(rows)
