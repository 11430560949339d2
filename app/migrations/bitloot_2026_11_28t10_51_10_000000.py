"""What became of letters is found by the provider's id, and those that wait are found at once."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-28T10:51:10:000000"
VERSION = "1.38.0"
DESCRIPTION = "Letters by the provider's id, and those that wait"

FORWARDS = (
    "CREATE INDEX mail_by_provider_id ON mail (provider_id) WHERE provider_id IS NOT NULL",
    "CREATE INDEX mail_waiting ON mail (created_at) WHERE status = 'waiting'",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        for statement in FORWARDS:
            await Job.raw(statement)

    manager.add_raw(run)
    return manager
