"""``bitloot webhooks``: what providers told us, and applying it again. What merchants are told is in ``receivers``."""

import json
from uuid import UUID

import click
from msgspec.structs import asdict

from app.audit import service as audit
from app.cli.frame import with_database
from app.cli.receivers import check, listen
from app.core import db
from app.inbox import queries, service
from app.inbox.service import NoSuchNotice


@click.group(commands=[listen, check])
def webhooks() -> None:
    """Notices from providers: list, show and replay them. For merchants: forward and test webhooks."""


@webhooks.command("list")
@click.option("--provider", type=click.Choice(sorted(service.APPLIED_BY)))
@click.option("--limit", default=50)
def index(provider: str | None, limit: int) -> None:
    """One notice per line, the newest first."""
    for row in with_database(lambda: queries.page(provider=provider, limit=limit, offset=0)):
        click.echo(f"{row.id}  {row.provider:12} {row.dedupe[:40]:40} {row.outcome or row.status}")


@webhooks.command("refused")
def refused() -> None:
    """Requests that failed the signature check, by provider, reason and hour."""
    for row in with_database(lambda: queries.refused(limit=100)):
        click.echo(f"{row.id:48} {row.posts:>9}  last {row.last_at:%Y-%m-%d %H:%M:%S} from {row.sample_ip}")


@webhooks.command("show")
@click.argument("notice_id", type=click.UUID)
def show(notice_id: UUID) -> None:
    """One notice with its body as received."""
    row = with_database(lambda: queries.one(notice_id))
    if row is None:
        raise NoSuchNotice
    click.echo(json.dumps({**asdict(row), "body": bytes(row.body).decode("utf-8", "replace")}, default=str, indent=2))


@webhooks.command("replay")
@click.argument("notice_ids", type=click.UUID, nargs=-1, required=True)
def replay(notice_ids: tuple[UUID, ...]) -> None:
    """Apply notices again. Safe at any time: what is already done is not done twice."""

    async def work() -> None:
        for notice_id in notice_ids:
            async with db.transaction():
                job_id = await service.replay(notice_id)
                await audit.write("webhook.replayed", actor="command line", details=str(notice_id))
            click.echo(f"{notice_id}: job {job_id}")

    with_database(work)
