"""What Piccolo has no word for, of the rooms that came with the second issue."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-21T05:31:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The audit chain's head, dead letters by cause, checks on refunds"

FORWARDS = (
    "INSERT INTO audit_head (id, seq, digest) VALUES (1, 0, decode(repeat('00', 32), 'hex'))",
    "CREATE INDEX job_dead_cause ON job (name, cause) WHERE status = 'failed'",
    "ALTER TABLE refund ADD CONSTRAINT refund_money CHECK (amount > 0)",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        for statement in FORWARDS:
            await Job.raw(statement)

    manager.add_raw(run)
    return manager
