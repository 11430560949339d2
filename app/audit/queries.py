"""Reading the audit log."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from app.audit.models import Line, ShownLine, Tip
from app.core import db

BATCH = 1000  # lines held at once while the whole log is read
MOST_SHOWN = 500  # lines on one order's page


async def of_order(order_id: UUID, actions: Sequence[str] | None = None) -> list[ShownLine]:
    """The newest MOST_SHOWN lines about an order, oldest first; only those of ``actions`` where given."""
    rows = await db.fetch_as(
        ShownLine,
        """SELECT seq, at, action, order_id, key_id, actor, ip, user_agent, details FROM audit_line
           WHERE order_id = $1 AND ($2::text[] IS NULL OR action = ANY($2)) ORDER BY seq DESC LIMIT $3""",
        order_id, actions, MOST_SHOWN,
    )  # fmt: skip
    return rows[::-1]


async def page(*, order_id: UUID | None, limit: int, offset: int) -> list[ShownLine]:
    """For the admin's list, the newest first."""
    return await db.fetch_as(
        ShownLine,
        """SELECT seq, at, action, order_id, key_id, actor, ip, user_agent, details FROM audit_line
           WHERE $1::uuid IS NULL OR order_id = $1 ORDER BY seq DESC LIMIT $2 OFFSET $3""",
        order_id, limit, offset,
    )  # fmt: skip


async def tip() -> Tip:
    row = await db.fetch_one_as(
        Tip,
        """SELECT head.seq, head.digest, (SELECT max(seq) FROM audit_line) AS last
           FROM (SELECT 1) AS one LEFT JOIN audit_head AS head ON head.id = 1""",
    )
    assert row is not None
    return row


async def lines(last: int) -> AsyncIterator[Line]:
    """All lines up to number ``last``, in order, BATCH at a time. Unchecked: the walk says what is wrong with one."""
    after: int | None = None
    while True:
        rows = await db.fetch(
            """SELECT seq, at, action, order_id, key_id, actor, ip, user_agent, details, previous, digest
               FROM audit_line WHERE ($1::bigint IS NULL OR seq > $1) AND seq <= $2 ORDER BY seq LIMIT $3""",
            after, last, BATCH,
        )  # fmt: skip
        for row in rows:
            yield Line(*row.values())
        if len(rows) < BATCH:
            return
        after = rows[-1]["seq"]
