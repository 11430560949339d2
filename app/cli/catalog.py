"""``bitloot catalog``."""

import click

from app.catalog import service
from app.cli.abroad import with_providers


@click.group()
def catalog() -> None:
    """Products."""


@catalog.command("sync")
def sync() -> None:
    """Bring products, prices and stock in step with the supplier."""
    seen = with_providers(lambda kit: service.sync(kinguin=kit.kinguin))
    click.echo(f"{seen} products.")
