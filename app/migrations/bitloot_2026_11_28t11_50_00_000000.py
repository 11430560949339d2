"""An admin's sessions are found by the address, open or ended: each try at the login looks where the person signed in."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-28T11:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Sessions: where an admin signed in from"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        await Job.raw(
            "CREATE INDEX login_session_admin ON login_session (email, last_seen_at DESC) WHERE role = 'admin'"
        )

    manager.add_raw(run)
    return manager
