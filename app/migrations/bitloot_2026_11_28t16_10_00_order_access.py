"""Which orders tokens open an order, once its email was changed."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Integer, UUID

ID = "2026-11-28T16:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Which orders tokens still open an order"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)
    columns = (("access_epoch", Integer(default=0)), ("access_browser", UUID(null=True, default=None)))
    for name, column in columns:
        manager.add_column(
            table_class_name="Order",
            tablename="customer_order",
            column_name=name,
            db_column_name=name,
            column_class_name=type(column).__name__,
            column_class=type(column),
            params=column._meta.params,
        )
    return manager
