"""The lines of key_audit become the first of the chain, then the old table goes; and what retirement looks up."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.audit.chain import Entry
from app.audit.service import append
from app.core import db

ID = "2026-11-21T06:40:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The audit log is one chain; indexes for retirement"
BATCH = 1000  # lines in memory at once

INDEXES = (
    "CREATE INDEX sealed_key_kept ON sealed_key (created_at) WHERE deleted_at IS NULL",
    "CREATE INDEX sealed_key_leaving ON sealed_key (order_id) WHERE deleted_at IS NOT NULL AND blob <> ''",
)


async def copy_lines() -> None:
    """In the order they were written, with their own times. Nobody writes to the old table meanwhile."""
    await db.fetch("LOCK TABLE key_audit IN ACCESS EXCLUSIVE MODE")
    after = 0
    while rows := await db.fetch(
        """SELECT id, at, action, order_id, key_id, actor, ip, user_agent, '' AS details FROM key_audit
           WHERE id > $1 ORDER BY id LIMIT $2""",
        after, BATCH,
    ):
        await append([Entry.of(row).fitted() for row in rows])
        after = rows[-1]["id"]


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        await copy_lines()
        for statement in INDEXES:
            await db.fetch(statement)

    manager.add_raw(run)
    manager.drop_table(class_name="KeyAudit", tablename="key_audit")
    return manager
