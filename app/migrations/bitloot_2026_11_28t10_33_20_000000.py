"""What the pages' promises are measured by stays cheap to read, however many orders there are."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-28T10:33:20:000000"
VERSION = "1.38.0"
DESCRIPTION = "Withdrawn units fit their item; indexes of what takes how long"

FORWARDS = (
    "ALTER TABLE purchase_item ADD CONSTRAINT purchase_item_withdrawn CHECK (withdrawn BETWEEN 0 AND quantity)",
    "CREATE INDEX purchase_newest_fulfilled ON purchase (fulfilled_at DESC) "
    "WHERE merchant_id IS NULL AND fulfilled_at IS NOT NULL",
    "CREATE INDEX purchase_newest_paid_in ON purchase (pay_currency, paid_at DESC) "
    "WHERE merchant_id IS NULL AND paid_at IS NOT NULL",
    "CREATE INDEX purchase_waiting_for_keys ON purchase (paid_at) WHERE status = 'paid' AND merchant_id IS NULL",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        for statement in FORWARDS:
            await Job.raw(statement)

    manager.add_raw(run)
    return manager
