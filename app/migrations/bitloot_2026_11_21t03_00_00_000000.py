"""Keys and indexes that Piccolo has no word for: compound uniqueness, partial indexes, money that can't be negative."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-21T03:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Compound and partial indexes, checks"

FORWARDS = (
    "CREATE UNIQUE INDEX event_subject_seq ON event (subject, seq)",
    "CREATE UNIQUE INDEX inbound_webhook_once ON inbound_webhook (provider, dedupe)",
    # One pending job of a meaning; one that is being worked on does not keep the next away.
    "CREATE UNIQUE INDEX job_pending_dedupe ON job (dedupe) WHERE status = 'pending' AND dedupe IS NOT NULL",
    "CREATE INDEX job_due ON job (run_at) WHERE status = 'pending'",
    "CREATE INDEX job_leased ON job (lease_until) WHERE status = 'processing'",
    "CREATE INDEX job_dead ON job (ended_at) WHERE status = 'failed'",
    "CREATE UNIQUE INDEX payment_attempt ON payment (order_id, attempt)",
    "CREATE UNIQUE INDEX sealed_key_ordinal ON sealed_key (item_id, ordinal)",
    "CREATE INDEX product_browse ON product (lower(name)) WHERE active",
    "CREATE INDEX product_changed ON product (updated_at)",
    "ALTER TABLE product ADD CONSTRAINT product_money CHECK (price >= 0 AND cost >= 0 AND stock >= 0)",
    "ALTER TABLE purchase ADD CONSTRAINT purchase_money CHECK (total >= 0 AND discount >= 0 AND total = subtotal - discount)",
    "ALTER TABLE purchase_item ADD CONSTRAINT purchase_item_quantity CHECK (quantity BETWEEN 1 AND 9)",
    "ALTER TABLE discount ADD CONSTRAINT discount_share CHECK (percent > 0 AND percent <= 100)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)


    async def run() -> None:
        for statement in FORWARDS:
            await Job.raw(statement)

    manager.add_raw(run)
    return manager
