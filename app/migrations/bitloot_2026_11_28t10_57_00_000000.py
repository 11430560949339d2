"""Every secret that still counts, and no delivery that is called retrying with no time to be retried at."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import JSONB
from piccolo.columns.indexes import IndexMethod

from app.jobs.tables import Job

ID = "2026-11-28T10:57:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Older secrets of endpoints; deliveries that wait for a disabled endpoint are pending"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)
    manager.add_column(
        table_class_name="Endpoint",
        tablename="endpoint",
        column_name="older_secrets",
        db_column_name="older_secrets",
        column_class_name="JSONB",
        column_class=JSONB,
        params={
            "default": "[]",
            "null": False,
            "primary_key": False,
            "unique": False,
            "index": False,
            "index_method": IndexMethod.btree,
            "choices": None,
            "db_column_name": None,
            "secret": False,
        },
        schema=None,
    )

    async def run() -> None:
        await Job.raw("UPDATE delivery SET status = 'pending' WHERE status = 'retrying' AND next_at IS NULL")

    manager.add_raw(run)
    return manager
