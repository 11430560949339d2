"""What counts by state read: so many entries of an index at the most, however many orders there are."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.table import Table

ID = "2026-11-28T16:50:01:000000"
VERSION = "1.38.0"
DESCRIPTION = "Indexes for counts by state"


class Anything(Table):
    """Statements need a table to be run by; it is never made."""


INDEXES = {
    "customer_order_newest_in_status": "customer_order (status, created_at DESC)",
    "refund_in_status": "refund (status)",
}


async def forwards() -> MigrationManager:
    manager = MigrationManager(
        migration_id=ID, app_name="bitloot", description=DESCRIPTION, wrap_in_transaction=False
    )

    async def run() -> None:
        for name, of in INDEXES.items():  # one that was broken off leaves an invalid index
            await Anything.raw(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            await Anything.raw(f"CREATE INDEX CONCURRENTLY {name} ON {of}")

    manager.add_raw(run)
    return manager
