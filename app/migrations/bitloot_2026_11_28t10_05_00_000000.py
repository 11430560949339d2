"""A person's open sessions are found by who they are; ended ones by when."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-28T10:05:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Sessions: who is signed in, and which are over"

FORWARDS = (
    "ALTER TABLE login_session ADD CONSTRAINT login_session_role CHECK (role IN ('customer', 'admin'))",
    "CREATE INDEX login_session_open ON login_session (email, role, last_seen_at) WHERE revoked_at IS NULL",
    "CREATE INDEX login_session_over ON login_session (least(revoked_at, expires_at))",
    "CREATE INDEX ended_browser_at ON ended_browser (ended_at)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        for statement in FORWARDS:
            await Job.raw(statement)

    manager.add_raw(run)
    return manager
