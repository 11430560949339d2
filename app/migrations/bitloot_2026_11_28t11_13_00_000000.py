"""What of a payment was not asked for, in money: merchants are told it."""

from decimal import Decimal

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Numeric
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-28T11:13:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The excess of a payment"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)
    manager.add_column(
        table_class_name="Payment",
        tablename="payment",
        column_name="excess",
        db_column_name="excess",
        column_class_name="Numeric",
        column_class=Numeric,
        params={
            "digits": None,
            "default": Decimal("0"),
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
    return manager
