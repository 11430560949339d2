"""A supplier's id for a product is unique among its own; issues about the listing name whose listing it is.

The unique index on ``supplier_product_id`` alone stays until no process of 0.2.0 can run any more: those name it in
``ON CONFLICT``.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-28T16:48:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "A supplier's id for a product is unique among its own"
STATEMENTS = (
    "CREATE UNIQUE INDEX product_of_supplier ON product (supplier, supplier_product_id)",
    "UPDATE issue SET subject = 'catalog:kinguin' WHERE subject = 'catalog'",
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
