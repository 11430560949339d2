"""Codes that orders used before there were rows of it; those of orders that came to nothing are free again."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.jobs.tables import Job

ID = "2026-11-28T10:45:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "Code uses of before"

NOTHING = "(status IN ('expired', 'cancelled', 'refunded') OR status = 'failed' AND paid_at IS NULL)"
FORWARDS = (
    f"""INSERT INTO code_use (order_id, code, amount, taken_at, released_at)
        SELECT id, discount_code, discount, created_at, CASE WHEN {NOTHING} THEN now() END
        FROM purchase WHERE discount_code IS NOT NULL ON CONFLICT DO NOTHING""",
    # A credit's money went back when its order ended; a discount's use did not.
    """UPDATE discount SET used = greatest(used - gone.uses, 0)
       FROM (SELECT code, count(*)::int AS uses FROM code_use WHERE released_at IS NOT NULL GROUP BY code) AS gone
       WHERE gone.code = discount.code""",
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)

    async def run() -> None:
        for statement in FORWARDS:
            await Job.raw(statement)

    manager.add_raw(run)
    return manager
