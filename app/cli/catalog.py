"""``bitloot catalog``."""

import click

from app.catalog import rates as exchange
from app.catalog import service
from app.cli.abroad import with_providers


@click.group()
def catalog() -> None:
    """Products."""


@catalog.command("sync")
@click.option("--accept-losses", is_flag=True, help="Take missing products off sale, however many there are.")
def sync(accept_losses: bool) -> None:
    """Update products, prices and stock from the supplier."""
    seen = with_providers(lambda kit: service.sync(kinguin=kit.kinguin, accept_losses=accept_losses))
    click.echo(f"{seen} products.")


@catalog.command("rates")
@click.option("--accept", is_flag=True, help="Accept a rate even if it is far from the last one.")
def rates(accept: bool) -> None:
    """Read the exchange rates and update all prices."""
    with_providers(lambda kit: exchange.sync(rates=kit.rates, accept=accept))
    found = with_providers(lambda _: exchange.newest())
    click.echo(f"1 EUR is {found.rate.normalize():f} {found.currency} ({found.day})." if found else "No rate is known.")
