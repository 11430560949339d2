"""What Piccolo has no word for, of the rooms that came with the merchants."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-21T08:30:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Numbers of events without doubles, deliveries by when they are due, merchants' lists"

FORWARDS = (
    "CREATE UNIQUE INDEX merchant_event_number ON merchant_event (merchant_id, test, number)",
    "CREATE UNIQUE INDEX merchant_event_sequence ON merchant_event (object_id, sequence)",
    "CREATE UNIQUE INDEX member_once ON member (merchant_id, email)",
    "CREATE UNIQUE INDEX delivery_once ON delivery (endpoint_id, event_id)",
    "CREATE INDEX delivery_due ON delivery (endpoint_id, next_at) WHERE next_at IS NOT NULL",
    "CREATE INDEX purchase_of_merchant ON purchase (merchant_id, test, id) WHERE merchant_id IS NOT NULL",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        for statement in FORWARDS:
            await Job.raw(statement)

    manager.add_raw(run)
    return manager
