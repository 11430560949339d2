"""Workers show that they live by rows: a lock of the session is lost behind a pooler."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager
from piccolo.columns.column_types import Integer, Timestamptz, Varchar
from piccolo.columns.indexes import IndexMethod

ID = "2026-11-28T10:14:05:000000"
VERSION = "1.38.0"
DESCRIPTION = "Running processes"
PLAIN = {
    "null": False, "unique": False, "index": False, "index_method": IndexMethod.btree, "choices": None,
    "db_column_name": None, "secret": False,
}  # fmt: skip
COLUMNS = (
    ("id", Integer, {"default": None, "primary_key": True}),
    ("role", Varchar, {"length": 16, "default": "", "primary_key": False}),
    ("host", Varchar, {"length": 64, "default": "", "primary_key": False}),
    ("pid", Integer, {"default": 0, "primary_key": False}),
    ("started_at", Timestamptz, {"default": None, "primary_key": False}),
    ("seen_at", Timestamptz, {"default": None, "primary_key": False}),
)


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="bitloot", description=DESCRIPTION)
    manager.add_table(class_name="Process", tablename="process", schema=None, columns=None)
    for name, kind, params in COLUMNS:
        manager.add_column(
            table_class_name="Process", tablename="process", column_name=name, db_column_name=name,
            column_class_name=kind.__name__, column_class=kind, params=PLAIN | params, schema=None,
        )  # fmt: skip
    return manager
