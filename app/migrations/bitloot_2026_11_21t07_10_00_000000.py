"""An item may be bought again when the supplier has ended our order: one reservation that is not ended, not one at all."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import ForeignKey

from app.jobs.tables import Job

ID = "2026-11-21T07:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Several reservations an item, one of them alive"

FORWARDS = (
    "CREATE UNIQUE INDEX reservation_living ON reservation (item_id) WHERE status NOT IN ('cancelled', 'refunded')",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)
    manager.alter_column(
        table_class_name="Reservation",
        tablename="reservation",
        column_name="item_id",
        db_column_name="item_id",
        params={"unique": False, "index": True},
        old_params={"unique": True, "index": False},
        column_class=ForeignKey,
        old_column_class=ForeignKey,
    )

    async def run() -> None:
        for statement in FORWARDS:
            await Job.raw(statement)

    manager.add_raw(run)
    return manager
