"""One rate a currency and day; the newest is found at once."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-28T09:56:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Exchange rates: one a currency and day"

FORWARDS = (
    "CREATE UNIQUE INDEX exchange_rate_once ON exchange_rate (currency, day)",
    "ALTER TABLE exchange_rate ADD CONSTRAINT exchange_rate_positive CHECK (rate > 0)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        for statement in FORWARDS:
            await Job.raw(statement)

    manager.add_raw(run)
    return manager
