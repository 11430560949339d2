"""``bitloot up``, ``migrate`` and ``seed``: from an empty machine to a running shop."""

import asyncio
import importlib
import os
import sys
from decimal import Decimal

import click
from piccolo.apps.migrations.commands.forwards import run_forwards

from app.accounts import service as accounts
from app.catalog import queries as catalog_rows
from app.catalog import rates
from app.catalog import service as catalog
from app.cli.abroad import with_providers
from app.payments import coins
from app.payments import queries as payment_rows
from app.providers.kit import Providers


@click.command()
def up() -> None:
    """Start everything on this machine: servers, sandbox, web, worker and clock."""
    # Only here, as a deployment has no embedded servers installed.
    sys.exit(importlib.import_module("app.up").run())


@click.command()
def migrate() -> None:
    """Bring the database's tables up to date (the Procfile's release step)."""
    os.environ.setdefault("PICCOLO_CONF", "piccolo_conf")
    asyncio.run(run_forwards(app_name="bitloot", migration_id="all"))


@click.command()
def seed() -> None:
    """On a first start: load exchange rates, the catalog, the coins, a discount code and the first admin."""

    async def work(kit: Providers) -> None:
        if await rates.newest() is None:
            await rates.sync(rates=kit.rates)
        if not await catalog_rows.count():
            await catalog.sync(kinguin=kit.kinguin)
            await catalog.create_discount("WELCOME10", Decimal(10))
        if not await payment_rows.coins():
            await coins.sync(nowpayments=kit.nowpayments)
        if password := os.environ.get("ADMIN_PASSWORD"):
            await accounts.hire_first("admin@bitloot.localhost", password)

    with_providers(work)
