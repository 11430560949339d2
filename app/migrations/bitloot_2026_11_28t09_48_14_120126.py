from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Numeric

ID = "2026-11-28T09:48:14:120126"
VERSION = "1.38.0"
DESCRIPTION = "Money with as many decimals as its currency has"


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="bitloot", description=DESCRIPTION
    )

    manager.alter_column(
        table_class_name="Order",
        tablename="purchase",
        column_name="subtotal",
        db_column_name="subtotal",
        params={"digits": None},
        old_params={"digits": (12, 2)},
        column_class=Numeric,
        old_column_class=Numeric,
        schema=None,
    )

    manager.alter_column(
        table_class_name="Order",
        tablename="purchase",
        column_name="discount",
        db_column_name="discount",
        params={"digits": None},
        old_params={"digits": (12, 2)},
        column_class=Numeric,
        old_column_class=Numeric,
        schema=None,
    )

    manager.alter_column(
        table_class_name="Order",
        tablename="purchase",
        column_name="total",
        db_column_name="total",
        params={"digits": None},
        old_params={"digits": (12, 2)},
        column_class=Numeric,
        old_column_class=Numeric,
        schema=None,
    )

    manager.alter_column(
        table_class_name="Payment",
        tablename="payment",
        column_name="price_amount",
        db_column_name="price_amount",
        params={"digits": None},
        old_params={"digits": (12, 2)},
        column_class=Numeric,
        old_column_class=Numeric,
        schema=None,
    )

    manager.alter_column(
        table_class_name="Payment",
        tablename="payment",
        column_name="value",
        db_column_name="value",
        params={"digits": None},
        old_params={"digits": (12, 2)},
        column_class=Numeric,
        old_column_class=Numeric,
        schema=None,
    )

    manager.alter_column(
        table_class_name="LedgerEntry",
        tablename="ledger_entry",
        column_name="amount",
        db_column_name="amount",
        params={"digits": None},
        old_params={"digits": (14, 2)},
        column_class=Numeric,
        old_column_class=Numeric,
        schema=None,
    )

    manager.alter_column(
        table_class_name="Refund",
        tablename="refund",
        column_name="amount",
        db_column_name="amount",
        params={"digits": None},
        old_params={"digits": (12, 2)},
        column_class=Numeric,
        old_column_class=Numeric,
        schema=None,
    )

    return manager
