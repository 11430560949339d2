"""The ``bitloot`` command."""

import asyncio
import importlib
import json
import os
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import click
from asyncpg import InterfaceError, PostgresError
from piccolo.apps.migrations.commands.forwards import run_forwards

from app.accounts import addresses
from app.accounts import service as accounts
from app.catalog import queries as catalog_rows
from app.catalog import service as catalog
from app.core import db, log
from app.core.courier import courier
from app.core.errors import Problem
from app.core.settings import BadSettings, settings
from app.jobs import queries as job_rows
from app.jobs import service as job_service
from app.payments import coins
from app.payments import queries as payment_rows
from app.providers.http import ProviderError
from app.providers.kit import Providers, open_providers

T = TypeVar("T")


@click.group()
def main() -> None:
    """BitLoot: a shop for digital keys, paid in crypto."""
    log.set_up("WARNING", "cli")


def _with_database(work: Callable[[], Awaitable[T]]) -> T:
    async def run() -> T:
        await db.open_pool(2)
        try:
            return await work()
        finally:
            await db.close_pool()
            courier.close()

    return asyncio.run(run())


def _with_providers(work: Callable[[Providers], Awaitable[T]]) -> T:
    async def run() -> T:
        kit = open_providers(settings())
        try:
            return await work(kit)
        finally:
            await kit.aclose()

    return _with_database(run)


@main.command()
def up() -> None:
    """Start everything on this machine: servers, sandbox, web, worker and clock."""
    # Only here, as a deployment has no embedded servers installed.
    sys.exit(importlib.import_module("app.up").run())


@main.command()
def migrate() -> None:
    """Bring the database's tables up to date (the Procfile's release step)."""
    os.environ.setdefault("PICCOLO_CONF", "piccolo_conf")
    asyncio.run(run_forwards(app_name="bitloot", migration_id="all"))


@main.command()
def seed() -> None:
    """On a first start: load the catalog, the coins, a discount code and the first admin."""

    async def work(kit: Providers) -> None:
        if not await catalog_rows.count():
            await catalog.sync(kinguin=kit.kinguin)
            await catalog.create_discount("WELCOME10", Decimal(10))
        if not await payment_rows.coins():
            await coins.sync(nowpayments=kit.nowpayments)
        if password := os.environ.get("ADMIN_PASSWORD"):
            await accounts.hire_first("admin@bitloot.localhost", password)

    _with_providers(work)


@main.group()
def admin() -> None:
    """People who run the shop."""


def _address(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    name, _, host = value.strip().partition("@")
    if not name or not host or "@" in host or len(value) > addresses.LONGEST:
        raise click.BadParameter("give an email address like name@example.com.")
    return value.strip()


@admin.command("create")
@click.argument("email", callback=_address)
@click.password_option(help="At least 12 characters; asked for when not given.")
def admin_create(email: str, password: str) -> None:
    """Create an admin, or give one a new password."""
    _with_database(lambda: accounts.hire(email, password))
    click.echo(f"{email} can sign in at /admin.")


@main.group("catalog")
def catalog_group() -> None:
    """Products."""


@catalog_group.command("sync")
def catalog_sync() -> None:
    """Bring products, prices and stock in step with the supplier."""
    seen = _with_providers(lambda kit: catalog.sync(kinguin=kit.kinguin))
    click.echo(f"{seen} products.")


@main.group("jobs")
def jobs_group() -> None:
    """Durable jobs and dead letters."""


@jobs_group.command("list")
@click.option("--status", type=click.Choice(["pending", "processing", "completed", "failed"]), default="failed")
@click.option("--limit", default=50)
def jobs_list(status: str, limit: int) -> None:
    """One job a line, the newest first; dead letters unless another state is asked for."""
    rows = _with_database(lambda: job_rows.page(status=status, limit=limit, offset=0))
    for row in rows:
        click.echo(f"{row['id']}  {row['name']:24} attempt {row['attempt']}  {row['error'] or ''}")


@jobs_group.command("show")
@click.argument("job_id", type=click.UUID)
def jobs_show(job_id: UUID) -> None:
    """One job with its arguments and all its attempts."""
    row = _with_database(lambda: job_rows.one(job_id))
    if row is None:
        raise click.ClickException("No such job.")
    click.echo(json.dumps(row, default=str, indent=2))


@jobs_group.command("retry")
@click.argument("job_id", type=click.UUID)
def jobs_retry(job_id: UUID) -> None:
    """Send a dead letter round again, with its history."""
    _with_database(lambda: job_service.retry(job_id))
    click.echo("Sent round again.")


@main.command()
def doctor() -> None:
    """Check the settings, the database and each provider, and say what to do about what is wrong."""

    async def work() -> bool:
        # Without a pool, so that the rest is looked at when the database is away.
        kit = open_providers(settings())
        checks: dict[str, Callable[[], Awaitable[Any]]] = {
            "database": lambda: db.fetch_value("SELECT 1"),
            "nowpayments": kit.nowpayments.health,
            "kinguin": kit.kinguin.health,
            "mail": kit.resend.health,
            "storage": kit.store.health,
        }
        results = [await _examine(name, check) for name, check in checks.items()]
        await kit.aclose()
        return all(results)

    sys.exit(0 if asyncio.run(work()) else 1)


async def _examine(name: str, check: Callable[[], Awaitable[Any]]) -> bool:
    try:
        await asyncio.wait_for(check(), 10)
    except Exception as error:
        click.echo(f"  {name:12} {type(error).__name__}: {error}")
        return False
    click.echo(f"  {name:12} ok")
    return True


def run() -> None:
    """The entry point: our own errors are words, not tracebacks."""
    try:
        main()
    except (BadSettings, Problem, ProviderError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except (OSError, PostgresError, InterfaceError) as error:
        click.echo(f"The database can't be used: {type(error).__name__}: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    run()
