"""Reading the audit log."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from app.core import db

BATCH = 1000  # lines held at once while the whole log is read
MOST_SHOWN = 500  # lines on one order's page


async def of_order(order_id: UUID, actions: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """The newest MOST_SHOWN lines about an order, oldest first; only those of ``actions`` where given."""
    rows = await db.fetch(
        """SELECT seq, at, action, order_id, key_id, actor, ip, user_agent, details FROM audit_line
           WHERE order_id = $1 AND ($2::text[] IS NULL OR action = ANY($2)) ORDER BY seq DESC LIMIT $3""",
        order_id, actions, MOST_SHOWN,
    )  # fmt: skip
    return [dict(row) for row in reversed(rows)]


async def page(*, order_id: UUID | None, limit: int, offset: int) -> list[dict[str, Any]]:
    """For the admin's list, the newest first."""
    rows = await db.fetch(
        """SELECT seq, at, action, order_id, key_id, actor, ip, user_agent, details FROM audit_line
           WHERE $1::uuid IS NULL OR order_id = $1 ORDER BY seq DESC LIMIT $2 OFFSET $3""",
        order_id, limit, offset,
    )  # fmt: skip
    return [dict(row) for row in rows]


async def tip() -> dict[str, Any]:
    """Where the head says the log ends, and where it does: ``{seq, digest, last}``, each None where there is none."""
    row = await db.fetch_one(
        """SELECT head.seq, head.digest, (SELECT max(seq) FROM audit_line) AS last
           FROM (SELECT 1) AS one LEFT JOIN audit_head AS head ON head.id = 1"""
    )
    assert row is not None
    return dict(row)


async def lines(last: int) -> AsyncIterator[dict[str, Any]]:
    """All lines up to number ``last``, in order, BATCH at a time."""
    after: int | None = None
    while True:
        rows = await db.fetch(
            """SELECT * FROM audit_line WHERE ($1::bigint IS NULL OR seq > $1) AND seq <= $2 ORDER BY seq LIMIT $3""",
            after, last, BATCH,
        )  # fmt: skip
        for row in rows:
            yield dict(row)
        if len(rows) < BATCH:
            return
        after = rows[-1]["seq"]
