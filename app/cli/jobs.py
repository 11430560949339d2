"""``bitloot jobs``."""

import json
from uuid import UUID

import click

from app.cli.frame import with_database
from app.jobs import queries, service


@click.group()
def jobs() -> None:
    """Durable jobs and dead letters."""


@jobs.command("list")
@click.option("--status", type=click.Choice(["pending", "processing", "completed", "failed"]), default="failed")
@click.option("--limit", default=50)
def index(status: str, limit: int) -> None:
    """One job a line, the newest first; dead letters unless another state is asked for."""
    for row in with_database(lambda: queries.page(status=status, limit=limit, offset=0)):
        click.echo(f"{row['id']}  {row['name']:24} attempt {row['attempt']}  {row['error'] or ''}")


@jobs.command("show")
@click.argument("job_id", type=click.UUID)
def show(job_id: UUID) -> None:
    """One job with its arguments and all its attempts."""
    row = with_database(lambda: queries.one(job_id))
    if row is None:
        raise click.ClickException("No such job.")
    click.echo(json.dumps(row, default=str, indent=2))


@jobs.command("retry")
@click.argument("job_id", type=click.UUID)
def retry(job_id: UUID) -> None:
    """Send a dead letter round again, with its history."""
    with_database(lambda: service.retry(job_id))
    click.echo("Sent round again.")
