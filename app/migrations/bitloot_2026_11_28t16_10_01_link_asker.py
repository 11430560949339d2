"""Who asked for a mailed link: it is void once that one was signed out."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import UUID

ID = "2026-11-28T16:10:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "Who asked for a mailed link"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)
    columns = (("session_id", UUID(null=True, default=None)), ("browser", UUID(null=True, default=None)))
    for name, column in columns:
        manager.add_column(
            table_class_name="Link",
            tablename="link",
            column_name=name,
            db_column_name=name,
            column_class_name=type(column).__name__,
            column_class=type(column),
            params=column._meta.params,
        )
    return manager
