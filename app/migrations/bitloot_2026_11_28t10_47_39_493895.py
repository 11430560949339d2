from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import UUID

ID = "2026-11-28T10:47:39:493895"
VERSION = "1.38.0"
DESCRIPTION = "Links: found by their order"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="bitloot", description=DESCRIPTION
    )

    manager.alter_column(
        table_class_name="Link",
        tablename="link",
        column_name="order_id",
        db_column_name="order_id",
        params={"index": True},
        old_params={"index": False},
        column_class=UUID,
        old_column_class=UUID,
        schema=None,
    )

    return manager
