from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Varchar
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-28T09:58:10:000000"
VERSION = "1.38.0"
DESCRIPTION = "Orders keep an email as it was typed"


async def forwards():
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    manager.add_column(
        table_class_name="Order",
        tablename="purchase",
        column_name="email_typed",
        db_column_name="email_typed",
        column_class_name="Varchar",
        column_class=Varchar,
        params={
            "length": 320,
            "default": None,
            "null": True,
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

    return manager
