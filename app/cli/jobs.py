"""``bitloot jobs``: the command line's twin of the admin's pages of jobs and dead letters."""

import getpass
import json
from collections.abc import Callable
from uuid import UUID

import click
from msgspec.structs import asdict

from app.audit import service as audit
from app.cli.frame import with_database
from app.core import db
from app.core.i18n import _
from app.queue import queries, service
from app.queue.models import AttemptLine, DeadLetter
from app.web.admin import retry_preview

MOST = 10_000  # dead letters at once


@click.group()
def jobs() -> None:
    """Durable jobs and dead letters."""


@jobs.command("list")
@click.option("--status", type=click.Choice(["pending", "processing", "completed", "failed"]), default="failed")
@click.option("--dead", is_flag=True, help="Dead letters: the same as --status failed, which is the default.")
@click.option("--by-cause", is_flag=True, help="Dead letters, counted by cause.")
@click.option("--limit", default=50)
def index(status: str, dead: bool, by_cause: bool, limit: int) -> None:
    """One job per line, the newest first; dead letters unless you ask for another state."""
    if by_cause:
        for group in with_database(queries.causes):
            since = f"{group.oldest:%Y-%m-%d %H:%M} to {group.newest:%Y-%m-%d %H:%M}"
            click.echo(f"{group.count:6}  {group.name:24} {since}  {group.cause}")
        return
    for row in with_database(lambda: queries.page(status="failed" if dead else status, limit=limit, offset=0)):
        click.echo(f"{row.id}  {row.name:24} attempt {row.attempt}  {row.error or ''}")


@jobs.command("show")
@click.argument("job_id", type=click.UUID)
def show(job_id: UUID) -> None:
    """One job with its arguments, all its attempts, and who retried it."""
    row = with_database(lambda: queries.one(job_id))
    if row is None:
        raise click.ClickException(_("No such job."))
    click.echo(json.dumps(asdict(row), default=lambda v: asdict(v) if isinstance(v, AttemptLine) else str(v), indent=2))


def choosing(command: Callable[..., None]) -> Callable[..., None]:
    """The arguments that choose dead letters."""
    command = click.option("--all", "everything", is_flag=True, help="Every dead letter.")(command)
    command = click.option("--cause", help="All with this cause, as `jobs list --by-cause` shows it.")(command)
    return click.argument("job_ids", nargs=-1, type=click.UUID)(command)


async def _chosen(job_ids: tuple[UUID, ...], cause: str | None, everything: bool) -> list[DeadLetter]:
    if bool(job_ids) + (cause is not None) + everything != 1:
        raise click.UsageError(_("Give ids, or --cause, or --all."))
    return await queries.dead(cause=cause, ids=job_ids or None, limit=MOST)


@jobs.command("preview")
@choosing
def preview(job_ids: tuple[UUID, ...], cause: str | None, everything: bool) -> None:
    """What a retry of each would do; changes nothing."""

    async def work() -> None:
        for row in await _chosen(job_ids, cause, everything):
            click.echo(f"{row.id}  {row.name:24} {await retry_preview.of(row)}")

    with_database(work)


@jobs.command("retry")
@choosing
def retry(job_ids: tuple[UUID, ...], cause: str | None, everything: bool) -> None:
    """Retry dead letters, keeping their history: some by id, all of a cause, or all."""
    by = f"{getpass.getuser()} at the command line"

    async def work() -> int:
        rows = await _chosen(job_ids, cause, everything)
        if len(job_ids) > len(rows):
            missing = next(i for i in job_ids if i not in {row.id for row in rows})
            raise service.JobNotFailed(
                _("%(missing)s has not failed, or someone has already retried it.", missing=missing)
            )
        async with db.transaction():
            done = await service.retry_all([row.id for row in rows], by=by)
            await audit.write("job.retried", actor=by, details=f"{len(done)} dead letters {cause or ''}"[:300])
        return len(done)

    count = with_database(work)
    click.echo(_("Retried.") if count == 1 else _("%(count)s retried.", count=count))
