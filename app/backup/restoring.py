"""Restoring a backup into an empty shop: all of it or nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import msgspec

from app.backup import contents, schema
from app.backup.contents import Manifest, Summary, Table
from app.backup.sealed import BackupKeys, BackupRefused, SealedReader
from app.backup.taking import at_leisure, connected
from app.core.i18n import _
from app.providers.storage import ObjectConflict, ObjectStore

AT_ONCE = 16  # objects stored at a time
BATCH_BYTES = 8 * 1024 * 1024  # held in memory at the most, but for one object that is larger
LOCK_SECONDS = 2

RETIRED = "UPDATE sealed_key SET deleted_at = $2 WHERE blob = ANY($1) AND deleted_at IS NULL"

Records = Iterator[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Restored:
    """What stands there now. ``shut`` names master keys that wrap keys of this shop and are not in ``MASTER_KEYS``."""

    manifest: Manifest
    summary: Summary
    shut: list[str]


async def restore(path: Path, *, url: str, store: ObjectStore, keys: BackupKeys) -> Restored:
    """Bring the shop of a backup back, in an empty database at ``url`` and in ``store``, on this version's tables.

    The file is read to its end first, so that a damaged one changes nothing. All rows are written in one transaction,
    which commits once every object is stored; so a restore that died can simply be run again. Raises BackupRefused.
    """
    manifest, summary = examine(path, keys)
    await _prepare(url, manifest)
    try:
        with path.open("rb") as file:
            await _fill(url, store, contents.records(SealedReader(file, keys)))
    except ObjectConflict:
        raise BackupRefused(
            "The object store contains another shop's objects under the same names: use an empty one."
        ) from None
    await schema.migrate(url)
    async with connected(url) as db:
        used = [row[0] for row in await db.fetch("SELECT DISTINCT master_key_id FROM order_data_key ORDER BY 1")]
    return Restored(manifest, summary, [key_id for key_id in used if key_id not in keys.master.ids])


def examine(path: Path, keys: BackupKeys) -> tuple[Manifest, Summary]:
    """The file read to its very end, changing nothing. Raises BackupRefused."""
    try:
        with path.open("rb") as file:
            return contents.examine(SealedReader(file, keys))
    except OSError as error:
        raise BackupRefused(_("%(file)s can't be read: %(why)s.", file=path, why=error.strerror)) from None


async def _prepare(url: str, manifest: Manifest) -> None:
    """See that the database is empty, and make its tables as they were when the backup was taken."""
    async with connected(url) as db:
        there = await schema.migrations(db)
        tables = await schema.tables(db)
        if occupied := await schema.occupied(db, tables):
            raise _not_empty(occupied)
    if tables and not there:
        raise BackupRefused(
            "That database belongs to something else: it has tables, but none of ours. Use an empty one."
        )
    if not there:
        await schema.migrate(url, manifest.migrations[-1])
    elif there != manifest.migrations:
        raise BackupRefused(
            "The tables there are from another version than the backup. Use a database without any tables: "
            "they are created as they were then, and migrated once the rows are loaded."
        )


def _not_empty(occupied: list[str]) -> BackupRefused:
    return BackupRefused(
        _(
            "That database is not empty (%(tables)s…): a restore never overwrites anything. Use an empty one, here or "
            "with --into.",
            tables=", ".join(occupied[:3]),
        )
    )


async def _fill(url: str, store: ObjectStore, records: Records) -> None:
    async with at_leisure(url) as db:
        manifest = msgspec.json.decode(next(records)[1], type=Manifest)
        await _claim(db, manifest)
        kind, payload = next(records)
        for table in manifest.tables:
            if (kind, payload) != (contents.TABLE, msgspec.json.encode(table.name)):
                raise BackupRefused(_("The rows of %(name)s are not where they belong.", name=table.name))
            await _fill_table(db, table, records)
            kind, payload = next(records)
        summary = await _store_blobs(store, kind, payload, records)
        await db.execute(RETIRED, summary.retired, manifest.made_at)
        for name, last in summary.sequences.items():
            await db.execute("SELECT setval(to_regclass('public.' || quote_ident($1)), $2)", name, last)


async def _claim(db: asyncpg.Connection, manifest: Manifest) -> None:
    """Keep everybody else out until the commit, look again whether all is empty, and clear what migrations left."""
    await db.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
    try:
        tables = await schema.tables(db)
        await db.execute("".join(f'LOCK TABLE "{table.name}" IN ACCESS EXCLUSIVE MODE;' for table in tables))
    except asyncpg.LockNotAvailableError:
        raise BackupRefused("The database is in use: stop the shop there first.") from None
    if {t.name: t.columns for t in tables} != {t.name: t.columns for t in manifest.tables}:
        raise BackupRefused("The tables there are not those of the backup: deploy the version that took it first.")
    if occupied := await schema.occupied(db, tables):
        raise _not_empty(occupied)
    for name in {table.name for table in tables} & set(schema.SEEDED):
        await db.execute(f'DELETE FROM "{name}"')  # noqa: S608 - a table's name


async def _fill_table(db: asyncpg.Connection, table: Table, records: Records) -> None:
    promised: list[int] = []

    async def parts() -> AsyncIterator[bytes]:
        for kind, payload in records:
            if kind == contents.TABLE_END:
                promised.append(int(payload))
                return
            yield payload

    columns = [name for name, _ in table.columns]
    done = await db.copy_to_table(table.name, columns=columns, schema_name="public", source=parts(), format="binary")
    if [int(done.split()[-1])] != promised:
        raise BackupRefused(_("Not all rows of %(name)s arrived.", name=table.name))


async def _store_blobs(store: ObjectStore, kind: bytes, payload: bytes, records: Records) -> Summary:
    batch: list[tuple[str, bytes]] = []
    while kind == contents.BLOB:
        batch.append(contents.blob_of(payload))
        if len(batch) == AT_ONCE or sum(len(data) for _, data in batch) > BATCH_BYTES:
            await asyncio.gather(*(store.put(name, data) for name, data in batch))
            batch.clear()
        kind, payload = next(records)
    await asyncio.gather(*(store.put(name, data) for name, data in batch))
    next(records, None)  # nothing may stand behind it
    return msgspec.json.decode(payload, type=Summary)
