"""Orders whose payment is seen or in: the few of all that a quote for last units asks for."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-28T11:03:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Orders that are being paid are found at once"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        await Job.raw("CREATE INDEX purchase_being_paid ON purchase (id) WHERE status IN ('confirming', 'paid')")

    manager.add_raw(run)
    return manager
