"""Reading issues."""

from datetime import datetime
from uuid import UUID

from app.core import db
from app.issues.models import Issue

COUNTED = 1000  # open issues counted at the most: a page says "1000+" beyond, and its cost stays the same


async def open_page(limit: int, after: tuple[datetime, UUID] | None = None) -> list[Issue]:
    """Open issues, the oldest first, those after the (opened_at, id) of the last one seen."""
    opened_at, issue_id = after or (None, None)
    return await db.fetch_as(
        Issue,
        """SELECT id, subject, code, detail, opened_at, resolved_at, resolved_by FROM issue
           WHERE resolved_at IS NULL AND ($2::timestamptz IS NULL OR (opened_at, id) > ($2, $3))
           ORDER BY opened_at, id LIMIT $1""",
        limit, opened_at, issue_id,
    )  # fmt: skip


async def open_for(subject: str) -> list[Issue]:
    """Open issues of one subject, the oldest first."""
    return await db.fetch_as(
        Issue,
        """SELECT id, subject, code, detail, opened_at, resolved_at, resolved_by FROM issue
           WHERE subject = $1 AND resolved_at IS NULL ORDER BY opened_at, id""",
        subject,
    )  # fmt: skip


async def find(issue_id: UUID) -> Issue | None:
    """One issue, open or resolved."""
    rows = await db.fetch_as(
        Issue,
        "SELECT id, subject, code, detail, opened_at, resolved_at, resolved_by FROM issue WHERE id = $1",
        issue_id,
    )
    return rows[0] if rows else None


async def count_open() -> int:
    """How many issues are open, ``COUNTED`` at the most."""
    sql = "SELECT count(*) FROM (SELECT FROM issue WHERE resolved_at IS NULL LIMIT $1) AS open"
    return int(await db.fetch_value(sql, COUNTED))
