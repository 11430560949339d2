"""Whose a product and a purchase are. All that stands is Kinguin's, the only supplier until now."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import Varchar

ID = "2026-11-28T16:48:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Whose a product and a purchase are"
TABLES = (("Product", "product"), ("Reservation", "reservation"))


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)
    for table, tablename in TABLES:
        column = Varchar(24, default="kinguin")
        manager.add_column(
            table_class_name=table,
            tablename=tablename,
            column_name="supplier",
            db_column_name="supplier",
            column_class_name="Varchar",
            column_class=Varchar,
            params=column._meta.params,
        )
    return manager
