"""``bitloot backup``, ``restore`` and ``drill``."""

import asyncio
import contextlib
import importlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from asyncpg import InterfaceError, PostgresError

from app.audit import service as audit
from app.backup import drill as drills
from app.backup import restoring, taking
from app.backup.contents import Summary
from app.backup.sealed import BackupKeys, BackupRefused
from app.cli.frame import with_database
from app.core import clock, db
from app.core.i18n import _
from app.core.settings import settings
from app.providers.kit import open_store
from app.providers.storage import LocalStore

FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


def _folder() -> Path:
    return settings().bitloot_var / "backups"


@click.command()
@click.argument("file", type=FILE, required=False)
def backup(file: Path | None) -> None:
    """Back up everything into FILE: database and stored keys together, encrypted, while the shop keeps running.

    Without FILE it goes below BITLOOT_VAR, in backups/, under the time of day.
    """
    path, summary = _take(file)
    _note("backup.taken", f"{path.name}: {_counted(summary)}, {len(summary.missing)} missing")
    click.echo(
        _("%(file)s: %(counted)s, %(size)s bytes.", file=path, counted=_counted(summary), size=path.stat().st_size)
    )
    for name in summary.missing:
        click.echo(_("Missing in the object store: %(name)s", name=name), err=True)


def _take(file: Path | None) -> tuple[Path, Summary]:
    s = settings()
    path = file or _folder() / f"bitloot-{clock.now():%Y%m%d-%H%M%S}{drills.ENDING}"
    url, keys = s.database_url.get_secret_value(), BackupKeys.of(s)

    async def work() -> Summary:
        store = open_store(s)
        try:
            return await taking.take(path, url=url, store=store, keys=keys)
        finally:
            await store.aclose()

    return path, asyncio.run(work())


def _note(action: str, details: str) -> None:
    """A line of the audit log, where there is one to write to: a drill is held also when the shop is down."""

    async def work() -> None:
        async with db.transaction():
            await audit.write(action, actor="command line", details=details)

    try:
        with_database(work)
    except (OSError, PostgresError, InterfaceError) as error:
        click.echo(_("The audit log could not be written: %(error)s.", error=type(error).__name__), err=True)


def _counted(summary: Summary) -> str:
    return _(
        "%(rows)s rows in %(tables)s tables, %(keys)s sealed keys",
        rows=sum(summary.rows.values()),
        tables=len(summary.rows),
        keys=summary.blobs,
    )


@click.command()
@click.argument("file", type=FILE)
@click.option("--into", metavar="URL", help="Another database than DATABASE_URL; it must be empty, too.")
@click.option(
    "--blobs", type=FOLDER, help="With --into: the folder for the sealed keys, instead of the shop's own store."
)
def restore(file: Path, into: str | None, blobs: Path | None) -> None:
    """Restore FILE into an empty database and object store. Nothing is ever overwritten."""
    if bool(into) != bool(blobs):
        raise click.UsageError(_("--into and --blobs go together: a scratch database needs a scratch folder."))
    s = settings()
    url = into or s.database_url.get_secret_value()

    async def work() -> restoring.Restored:
        store = LocalStore(blobs, "links of a scratch shop", "http://127.0.0.1") if blobs else open_store(s)
        try:
            return await restoring.restore(file, url=url, store=store, keys=BackupKeys.of(s))
        finally:
            await store.aclose()

    restored = asyncio.run(work())
    if not into:
        _note("backup.restored", f"{file.name}, as of {restored.manifest.made_at:%Y-%m-%d %H:%M:%S}")
    at = f"{restored.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC"
    click.echo(_("%(counted)s, as of %(at)s.", counted=_counted(restored.summary), at=at))
    click.echo(_("Start web, worker and clock: the clock restarts every job that was in progress."))
    for name in restored.shut:
        click.echo(
            _("Keys are encrypted with the master key '%(name)s': add it to MASTER_KEYS to open them.", name=name),
            err=True,
        )


@click.command()
@click.argument("file", type=FILE, required=False)
@click.option("--fresh", is_flag=True, help="Take a new backup for it, even if there is one.")
@click.option(
    "--database", metavar="URL", help="An empty database to restore into, if no embedded Postgres is installed."
)
def drill(file: Path | None, fresh: bool, database: str | None) -> None:
    """Restore a backup into a temporary shop and check it there: FILE, or else the newest one, or else a new one.

    Ends with 0 if every proof holds, else with 1.
    """
    path = file or (None if fresh else drills.newest(_folder())) or _take(None)[0]
    with _scratch(database) as (folder, url):
        done = asyncio.run(drills.drill(path, folder=folder, url=url, s=settings()))
    failed = ", ".join(finding.name for finding in done.findings if not finding.holds)
    _note("drill.failed" if failed else "drill.passed", f"{path.name}: {failed or 'every proof holds'}")
    click.echo(_("%(file)s: restored in %(seconds)s s", file=path, seconds=f"{done.seconds:.1f}"))
    for finding in done.findings:
        click.echo(f"  {finding.name:12} {'ok  ' if finding.holds else 'FAIL'} {finding.said}")
    sys.exit(0 if done.passed else 1)


@contextlib.contextmanager
def _scratch(database: str | None) -> Iterator[tuple[Path, str]]:
    """A folder and an empty database that nobody else knows of."""
    if database:
        with tempfile.TemporaryDirectory(prefix="bitloot-scratch-") as folder:
            yield Path(folder), database
        return
    try:
        # Only here, as a deployment has no embedded servers installed.
        embedded = importlib.import_module("dev.embedded")
    except ModuleNotFoundError:
        raise BackupRefused(
            "No embedded Postgres is installed here: name an empty database with --database URL."
        ) from None
    with embedded.scratch() as scratch:
        yield scratch
