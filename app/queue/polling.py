"""Rows that say when they want to be looked at: the sweep takes those that are due and puts each off meanwhile."""

from datetime import timedelta
from uuid import UUID

import msgspec
from piccolo.table import Table

from app.core import clock, db


class Due(msgspec.Struct, frozen=True):
    """A row whose time has come, and the order it is about."""

    id: UUID
    order_id: UUID


async def take_due(table: type[Table], *, put_off: timedelta, most: int) -> list[Due]:
    """Up to ``most`` rows of ``table`` whose ``next_check_at`` has come, the longest overdue first, ordered by id.

    Each is put off by ``put_off`` from now, so that a check that got lost is posted again after it. Call it in the
    transaction that posts the checks; two sweeps at once take different rows.
    """
    name, now = table._meta.tablename, clock.now()
    found = await db.fetch_as(
        Due,
        f"""WITH due AS MATERIALIZED (
              SELECT id FROM {name} WHERE next_check_at <= $1
              ORDER BY next_check_at, id LIMIT $3 FOR UPDATE SKIP LOCKED)
            UPDATE {name} SET next_check_at = $2 FROM due WHERE {name}.id = due.id
            RETURNING {name}.id, order_id""",  # noqa: S608 - names of our own tables
        now, now + put_off, most,
    )  # fmt: skip
    return sorted(found, key=lambda due: due.id)
