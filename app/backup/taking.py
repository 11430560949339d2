"""Taking a backup: one snapshot of the database, then every object that its rows name."""

import asyncio
import fcntl
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg

from app.backup import contents, schema
from app.backup.contents import Manifest, Summary
from app.backup.sealed import BackupKeys, BackupRefused, SealedWriter
from app.core import clock, database_url, postgres
from app.core.i18n import _
from app.providers.storage import ObjectMissing, ObjectStore

AT_ONCE = 16  # objects fetched at a time
NAMES_IN_MEMORY = 4 * 1024 * 1024  # bytes of object names before they go to a temporary file
CONNECT_SECONDS = 10
KEPT = "SELECT blob FROM sealed_key WHERE deleted_at IS NULL ORDER BY id"


async def take(path: Path, *, url: str, store: ObjectStore, keys: BackupKeys) -> Summary:
    """Write a backup of the database at ``url`` and its objects to ``path``, while the shop goes on working.

    The file gets its name only once it is whole and on the disk. Raises BackupRefused and ProviderError.
    """
    with unfinished(path) as file, tempfile.SpooledTemporaryFile(NAMES_IN_MEMORY) as names:
        sealed = SealedWriter(file, keys)
        rows, sequences = await _take_tables(url, sealed, names)
        names.seek(0)
        blobs, size, gone = await _take_blobs(store, sealed, names)
        missing = await _still_wanted(url, gone)
        summary = Summary(rows, sequences, blobs, size, missing, sorted(set(gone) - set(missing)))
        contents.add_words(sealed, contents.SUMMARY, summary)
        sealed.close()
    return summary


@contextmanager
def unfinished(path: Path) -> Iterator[BinaryIO]:
    """A file beside ``path`` that takes its name at the end; after an error, or a death, there is none of that name."""
    draft = path.with_name(f".{path.name}.unfinished")
    with _alone(draft, path) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            draft.rename(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    _sync(path.parent)


@contextmanager
def _alone(draft: Path, path: Path) -> Iterator[BinaryIO]:
    """The draft, empty, and held against everybody else; what a killed backup left in it is dropped."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(draft, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise BackupRefused(_("%(file)s can't be written: %(why)s.", file=path, why=error.strerror)) from None
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who held it may have finished meanwhile: then this is no draft any more but their backup.
            free = os.path.samestat(os.fstat(descriptor), draft.stat())
        except OSError:
            free = False
        if not free:
            raise BackupRefused(_("Another backup is being written to %(file)s right now.", file=path))
        if path.exists():
            draft.unlink()
            raise BackupRefused(
                _("%(file)s already exists: backups are never overwritten. Use another file name.", file=path)
            )
        file.truncate()
        yield file


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection of one's own."""
    db = await postgres.connect(database_url.parse(url), timeout=CONNECT_SECONDS)
    try:
        yield db
    finally:
        await db.close(timeout=CONNECT_SECONDS)


@asynccontextmanager
async def at_leisure(url: str, **options: Any) -> AsyncIterator[asyncpg.Connection]:
    """A transaction without the time limits that are meant for short statements."""
    async with connected(url) as db, db.transaction(**options):
        await db.execute("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")
        yield db


async def _take_tables(
    url: str, sealed: SealedWriter, names: tempfile.SpooledTemporaryFile[bytes]
) -> tuple[dict[str, int], dict[str, int]]:
    async with at_leisure(url, isolation="repeatable_read", readonly=True) as db:
        migrations = await schema.migrations(db)
        if not migrations:
            raise BackupRefused("There is no shop in that database: it has no tables of ours.")
        tables = await schema.tables(db)
        contents.add_words(sealed, contents.MANIFEST, Manifest(clock.now(), migrations, tables))
        rows = {table.name: await _take_table(db, table, sealed) for table in tables}
        await db.execute(f"DECLARE kept NO SCROLL CURSOR FOR {KEPT}")
        while batch := await db.fetch("FETCH 1000 FROM kept"):
            names.writelines(blob.encode() + b"\n" for (blob,) in batch)
        # Sequences know no snapshot. Read last, they are not behind any row that was copied.
        return rows, await schema.sequences(db)


async def _take_table(db: asyncpg.Connection, table: contents.Table, sealed: SealedWriter) -> int:
    async def keep(part: bytes) -> None:
        contents.add(sealed, contents.DATA, part)

    contents.add_words(sealed, contents.TABLE, table.name)
    columns = [name for name, _ in table.columns]
    done = await db.copy_from_table(table.name, columns=columns, schema_name="public", output=keep, format="binary")
    rows = int(done.split()[-1])
    contents.add_words(sealed, contents.TABLE_END, rows)
    return rows


async def _take_blobs(
    store: ObjectStore, sealed: SealedWriter, names: tempfile.SpooledTemporaryFile[bytes]
) -> tuple[int, int, list[str]]:
    """Copy each named object: how many there were, their bytes, and the names of those that are not there."""
    blobs, size, gone = 0, 0, list[str]()
    while batch := [line.decode().rstrip("\n") for _, line in zip(range(AT_ONCE), names, strict=False)]:
        for name, data in zip(batch, await asyncio.gather(*(_fetch(store, name) for name in batch)), strict=True):
            if data is None:
                gone.append(name)
                continue
            contents.add_blob(sealed, name, data)
            blobs, size = blobs + 1, size + len(data)
    return blobs, size, gone


async def _fetch(store: ObjectStore, name: str) -> bytes | None:
    try:
        return await store.get(name)
    except ObjectMissing:
        return None


async def _still_wanted(url: str, gone: list[str]) -> list[str]:
    """Of the objects that were not there, those that were not deleted in good order since the snapshot."""
    if not gone:
        return []
    async with connected(url) as db:
        rows = await db.fetch("SELECT blob FROM sealed_key WHERE blob = ANY($1) AND deleted_at IS NULL", gone)
    return sorted(blob for (blob,) in rows)
