"""One open issue per subject and code; the open ones are listed the oldest first, however many were resolved."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-28T09:39:20:000000"
VERSION = "1.38.0"
DESCRIPTION = "Issues: one open per subject and code"

FORWARDS = (
    "CREATE UNIQUE INDEX issue_open_once ON issue (subject, code) WHERE resolved_at IS NULL",
    "CREATE INDEX issue_oldest_open ON issue (opened_at, id) WHERE resolved_at IS NULL",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        for statement in FORWARDS:
            await Job.raw(statement)

    manager.add_raw(run)
    return manager
