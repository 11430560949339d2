"""What is swept by its age is found by an index: a sweep must cost what it deletes, not what stands."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Timestamptz

from app.jobs.tables import Job

ID = "2026-11-28T13:22:37:000000"
VERSION = "1.38.0"
DESCRIPTION = "Finished jobs and windows of limits, by their age"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    manager.alter_column(
        table_class_name="QuotaWindow",
        tablename="quota_window",
        column_name="starts_at",
        db_column_name="starts_at",
        params={"index": True},
        old_params={"index": False},
        column_class=Timestamptz,
        old_column_class=Timestamptz,
        schema=None,
    )

    async def create() -> None:
        await Job.raw("CREATE INDEX job_done ON job (ended_at) WHERE status = 'completed'")

    async def drop() -> None:
        await Job.raw("DROP INDEX job_done")

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
