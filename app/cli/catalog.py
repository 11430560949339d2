"""``bitloot catalog``."""

import click

from app.catalog import rates as exchange
from app.catalog import service
from app.cli.abroad import with_providers
from app.providers.kit import Providers
from app.suppliers.registry import open_suppliers


@click.group()
def catalog() -> None:
    """Products."""


@catalog.command("sync")
@click.option("--accept-losses", is_flag=True, help="Take missing products off sale, however many there are.")
def sync(accept_losses: bool) -> None:
    """Update products, prices and stock from the suppliers."""

    async def work(kit: Providers) -> int:
        listings = open_suppliers(kit).listings
        return sum([await service.sync(listing=listing, accept_losses=accept_losses) for listing in listings])

    click.echo(f"{with_providers(work)} products.")


@catalog.command("rates")
@click.option("--accept", is_flag=True, help="Accept a rate even if it is far from the last one.")
def rates(accept: bool) -> None:
    """Read the exchange rates and update all prices."""
    with_providers(lambda kit: exchange.sync(rates=kit.rates, accept=accept))
    found = with_providers(lambda _: exchange.newest())
    click.echo(f"1 EUR is {found.rate.normalize():f} {found.currency} ({found.day})." if found else "No rate is known.")
