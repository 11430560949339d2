"""The excess of what was overpaid before it was kept."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-28T11:13:10:000000"
VERSION = "1.38.0"
DESCRIPTION = "The excess of payments that were overpaid"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        await Job.raw(
            "UPDATE payment SET excess = value - price_amount WHERE outcome = 'overpaid' AND value > price_amount"
        )

    manager.add_raw(run)
    return manager
