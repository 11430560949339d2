"""``bitloot up``, ``migrate`` and ``seed``: from an empty machine to a running shop."""

import importlib
import os
import sys
from decimal import Decimal

import click

from app.accounts import service as accounts
from app.catalog import queries as catalog_rows
from app.catalog import rates
from app.catalog import service as catalog
from app.cli import migrating
from app.cli.abroad import with_providers
from app.payments import coins
from app.payments import queries as payment_rows
from app.providers.kit import Providers
from app.suppliers.registry import open_suppliers


@click.command()
def up() -> None:
    """Start everything on this machine: servers, sandbox, web, worker and clock."""
    # Only here, as a deployment has no embedded servers installed.
    sys.exit(importlib.import_module("dev.up").run())


@click.command()
@click.option("--to", default="all", help="The id of the last migration to run. Default: all.")
def migrate(to: str) -> None:
    """Bring the database's tables up to date (the Procfile's release step).

    Where another process is at it already, wait for it and run what it has left.
    """
    sys.exit(0 if migrating.run(to) else 1)


@click.command()
def seed() -> None:
    """For a first start: load exchange rates, the catalog, the coins, a discount code and the first admin."""

    async def work(kit: Providers) -> None:
        if await rates.newest() is None:
            await rates.sync(rates=kit.rates)
        if not await catalog_rows.count():
            for listing in open_suppliers(kit).listings:
                await catalog.sync(listing=listing)
            await catalog.create_discount("WELCOME10", Decimal(10))
        if not await payment_rows.coins():
            await coins.sync(nowpayments=kit.nowpayments)
        if password := os.environ.get("ADMIN_PASSWORD"):
            await accounts.create_first_staff("admin@bitloot.localhost", password)

    with_providers(work)
