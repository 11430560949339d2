from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from app.core import db

ID = "2026-11-28T13:14:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "The catalog's orders, read from an index each"

FORWARDS = (
    # The columns that filters and searches look at stand beside, so that neither they nor the count read whole rows.
    """CREATE INDEX product_newest ON product (released_on DESC, name, id) INCLUDE (platform, region, price)
       WHERE active""",
    "CREATE INDEX product_price ON product (price, lower(name), id) WHERE active",
    "CREATE INDEX product_genres ON product USING gin ((details->'genres')) WHERE active",
)
BACKWARDS = ("DROP INDEX product_genres", "DROP INDEX product_price", "DROP INDEX product_newest")


async def forwards():
    manager = MigrationManager(
        migration_id=ID, app_name="bitloot", description=DESCRIPTION
    )

    async def create():
        for statement in FORWARDS:
            await db.fetch(statement)

    async def drop():
        for statement in BACKWARDS:
            await db.fetch(statement)

    manager.add_raw(create)
    manager.add_raw_backwards(drop)
    return manager
