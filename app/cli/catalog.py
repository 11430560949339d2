"""``bitloot catalog``."""

import click

from app.catalog import rates as exchange
from app.catalog import service
from app.cli.abroad import with_providers
from app.core.i18n import _
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

    click.echo(_("%(number)s products.", number=with_providers(work)))


@catalog.command("rates")
@click.option("--accept", is_flag=True, help="Accept a rate even if it is far from the last one.")
def rates(accept: bool) -> None:
    """Read the exchange rates and update all prices."""
    with_providers(lambda kit: exchange.sync(rates=kit.rates, accept=accept))
    found = with_providers(lambda _: exchange.newest())
    if not found:
        click.echo(_("No rate is known."))
        return
    rate = f"{found.rate.normalize():f} {found.currency}"
    click.echo(_("1 EUR is %(rate)s (%(day)s).", rate=rate, day=found.day))
