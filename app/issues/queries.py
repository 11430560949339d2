"""Reading issues."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from app.core import db
from app.issues.codes import IssueCode
from app.issues.models import Issue

COUNTED = 1000  # open issues counted at the most: a page says "1000+" beyond, and its cost stays the same
_ISSUE = "SELECT id, subject, code, detail, opened_at, resolved_at, resolved_by, note FROM issue "
_ABOUT_ORDERS = "subject LIKE 'order:%'"


async def open_page(limit: int, after: tuple[datetime, UUID] | None = None, *, orders: bool = True) -> list[Issue]:
    """Open issues, the oldest first, those after the (opened_at, id) of the last one seen.

    ``orders``: those about orders, too.
    """
    opened_at, issue_id = after or (None, None)
    return await db.fetch_as(
        Issue,
        f"""{_ISSUE} WHERE resolved_at IS NULL AND ($2::timestamptz IS NULL OR (opened_at, id) > ($2, $3))
              AND ($4 OR NOT {_ABOUT_ORDERS})
            ORDER BY opened_at, id LIMIT $1""",
        limit, opened_at, issue_id, orders,
    )  # fmt: skip


async def open_for(subject: str) -> list[Issue]:
    """Open issues of one subject, the oldest first."""
    return (await open_for_each([subject]))[subject]


async def open_for_each(subjects: Sequence[str]) -> dict[str, list[Issue]]:
    """Open issues of each subject, the oldest first; an empty list for a subject without any."""
    found = await db.fetch_as(
        Issue,
        f"{_ISSUE} WHERE subject = ANY($1) AND resolved_at IS NULL ORDER BY opened_at, id",
        list(subjects),
    )
    return {subject: [issue for issue in found if issue.subject == subject] for subject in subjects}


async def newest_about_orders(limit: int) -> list[str]:
    """Subjects of the orders that have an open issue, the one that was opened last first."""
    rows = await db.fetch(
        f"""SELECT subject FROM issue WHERE resolved_at IS NULL AND {_ABOUT_ORDERS}
            GROUP BY subject ORDER BY max(opened_at) DESC, subject DESC LIMIT $1""",  # noqa: S608 - our own text
        limit,
    )
    return [row["subject"] for row in rows]


async def count_orders(most: int) -> int:
    """How many orders have an open issue, ``most`` at the most."""
    sql = f"SELECT DISTINCT subject FROM issue WHERE resolved_at IS NULL AND {_ABOUT_ORDERS} LIMIT $1"  # noqa: S608
    return int(await db.fetch_value(f"SELECT count(*) FROM ({sql}) AS open", most))  # noqa: S608 - our own text


async def resolved_by_hand(subject: str, limit: int) -> list[Issue]:
    """Issues of a subject that persons resolved with a note, the newest first."""
    return await db.fetch_as(
        Issue,
        f"""{_ISSUE} WHERE subject = $1 AND resolved_at IS NOT NULL AND note IS NOT NULL
            ORDER BY resolved_at DESC LIMIT $2""",
        subject, limit,
    )  # fmt: skip


async def is_open(subject: str, codes: Collection[IssueCode]) -> bool:
    """Whether one of these matters of a subject is open."""
    sql = "SELECT EXISTS (SELECT FROM issue WHERE subject = $1 AND code = ANY($2) AND resolved_at IS NULL)"
    return bool(await db.fetch_value(sql, subject, list(codes)))


async def detail(subject: str, code: IssueCode) -> str | None:
    """What an open issue says; None where it is not open."""
    sql = "SELECT detail FROM issue WHERE subject = $1 AND code = $2 AND resolved_at IS NULL"
    found: str | None = await db.fetch_value(sql, subject, code)
    return found


async def subjects(code: IssueCode, limit: int) -> list[str]:
    """Subjects for which a matter is open."""
    rows = await db.fetch("SELECT subject FROM issue WHERE code = $1 AND resolved_at IS NULL LIMIT $2", code, limit)
    return [row["subject"] for row in rows]


async def find(issue_id: UUID) -> Issue | None:
    """One issue, open or resolved."""
    rows = await db.fetch_as(Issue, f"{_ISSUE} WHERE id = $1", issue_id)
    return rows[0] if rows else None


async def counts() -> dict[str, int]:
    """How many issues of each code are open, of the first ``COUNTED`` that are."""
    sql = """SELECT code, count(*) AS n FROM (SELECT code FROM issue WHERE resolved_at IS NULL LIMIT $1) AS open
             GROUP BY code"""
    return {row["code"]: row["n"] for row in await db.fetch(sql, COUNTED)}


async def count_open() -> int:
    """How many issues are open, ``COUNTED`` at the most."""
    sql = "SELECT count(*) FROM (SELECT FROM issue WHERE resolved_at IS NULL LIMIT $1) AS open"
    return int(await db.fetch_value(sql, COUNTED))
