from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Varchar

ID = "2026-11-28T13:22:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Room for all of the reasons for which an order waits"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="bitloot", description=DESCRIPTION
    )

    manager.alter_column(
        table_class_name="Order",
        tablename="purchase",
        column_name="cause",
        db_column_name="cause",
        params={"length": 1000},
        old_params={"length": 200},
        column_class=Varchar,
        old_column_class=Varchar,
        schema=None,
    )

    return manager
