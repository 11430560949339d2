"""What the tables of own stock are searched by, and what always holds of them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-28T17:12:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "Own stock: indexes"
STATEMENTS = (
    "ALTER TABLE own_stock_sale ADD CONSTRAINT own_stock_sale_quantity CHECK (quantity >= 1)",
    "ALTER TABLE own_stock_product ADD CONSTRAINT own_stock_product_low CHECK (low_at >= 0)",
    "CREATE INDEX own_stock_key_on_sale ON own_stock_key (product_id, id) WHERE sale_id IS NULL",
    "CREATE INDEX own_stock_key_sold ON own_stock_key (sale_id) WHERE sale_id IS NOT NULL",
    "CREATE INDEX own_stock_key_shown ON own_stock_key (sale_id) WHERE sale_id IS NOT NULL AND sealed <> ''",
    "CREATE INDEX own_stock_import_of_product ON own_stock_import (product_id, id)",
    "CREATE INDEX own_stock_sale_at ON own_stock_sale (sold_at)",
    "CREATE INDEX product_own_stock ON product (name, id) WHERE supplier = 'own_stock'",
)


class Anything(Table):
    """Statements need a table to be run by; it is never made."""


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        for statement in STATEMENTS:
            await Anything.raw(statement)

    manager.add_raw(run)
    return manager
