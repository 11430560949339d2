"""What the tests of the audit log share: a log with lines in it, and what its writer's rivals would do to it."""

from uuid import UUID

import asyncpg

from app.audit import service as audit
from app.core import db
from app.core.ids import new_id

ORDER = new_id()


async def written(count: int = 5, *, order_id: UUID = ORDER) -> None:
    """So many lines, no two alike."""
    for number in range(1, count + 1):
        await audit.write(
            "key.revealed", actor=f"customer {number}@a.test", ip=f"192.0.2.{number % 250}",
            user_agent=f"browser {number}", order_id=order_id, key_id=new_id(), details=f"number {number}",
        )  # fmt: skip


async def said() -> list[str]:
    return [row["details"] for row in await db.fetch("SELECT details FROM audit_line ORDER BY seq")]


async def head() -> asyncpg.Record:
    row = await db.fetch_one("SELECT seq, digest FROM audit_head")
    assert row is not None
    return row


async def forge(*statements: str) -> None:
    """What somebody with every right in the database, but without the key, runs there."""
    async with db.transaction():
        for statement in statements:
            await db.fetch(statement)
