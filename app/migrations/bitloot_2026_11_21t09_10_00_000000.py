"""What the lists and the housekeeping of deliveries look for."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-21T09:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Deliveries of an endpoint, the newest first"

FORWARDS = ("CREATE INDEX delivery_of_endpoint ON delivery (endpoint_id, id)",)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        for statement in FORWARDS:
            await Job.raw(statement)

    manager.add_raw(run)
    return manager
