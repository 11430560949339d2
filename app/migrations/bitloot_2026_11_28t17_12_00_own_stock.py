"""The owner's own keys as a second supplier."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns import UUID, Boolean, Bytea, ForeignKey, Integer, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

ID = "2026-11-28T17:12:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Own stock"


class Product(Table, tablename="product"):
    id = UUID(primary_key=True, default=None)


class OwnStockProduct(Table, tablename="own_stock_product"):
    product_id = ForeignKey(Product, primary_key=True, null=False, on_delete=OnDelete.restrict)
    low_at = Integer(default=5)
    created_at = Timestamptz(default=None)


class OwnStockImport(Table, tablename="own_stock_import"):
    id = UUID(primary_key=True, default=None)
    product_id = ForeignKey(Product, null=False, on_delete=OnDelete.restrict)
    imported_by = Varchar(320)
    kept = Integer()
    doubled = Integer()
    master_key_id = Varchar(32)
    wrapped = Bytea()
    created_at = Timestamptz(default=None)


class OwnStockSale(Table, tablename="own_stock_sale"):
    id = UUID(primary_key=True, default=None)
    product_id = ForeignKey(Product, null=False, on_delete=OnDelete.restrict)
    quantity = Integer()
    sold_at = Timestamptz(default=None)
    returned_at = Timestamptz(null=True, default=None)


class OwnStockKey(Table, tablename="own_stock_key"):
    id = UUID(primary_key=True, default=None)
    product_id = ForeignKey(Product, null=False, on_delete=OnDelete.restrict)
    import_id = ForeignKey(OwnStockImport, null=False, on_delete=OnDelete.restrict)
    ordinal = Integer()
    media_type = Varchar(32)
    digest = Bytea(unique=True)
    sealed = Bytea()
    sale_id = ForeignKey(OwnStockSale, null=True, default=None, on_delete=OnDelete.restrict)


class OwnStockSecret(Table, tablename="own_stock_secret"):
    id = Integer(primary_key=True, default=1)
    sealed = Bytea()


TABLES = (OwnStockProduct, OwnStockImport, OwnStockSale, OwnStockKey, OwnStockSecret)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)
    manager.add_column(
        table_class_name="Product",
        tablename="product",
        column_name="fixed_price",
        db_column_name="fixed_price",
        column_class_name="Boolean",
        column_class=Boolean,
        params=Boolean(default=False)._meta.params,
    )
    for table in TABLES:
        name, tablename = table.__name__, table._meta.tablename
        manager.add_table(name, tablename=tablename)
        for column in table._meta.columns:
            manager.add_column(
                table_class_name=name,
                tablename=tablename,
                column_name=column._meta.name,
                db_column_name=column._meta.db_column_name,
                column_class_name=type(column).__name__,
                column_class=type(column),
                params=column._meta.params,
            )
    return manager
