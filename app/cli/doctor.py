"""``bitloot doctor``."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import click

from app.core import db
from app.core.i18n import _
from app.core.settings import Settings, settings
from app.issues import clocks
from app.providers.kit import open_providers
from app.queue import health_probes


@click.command()
def doctor() -> None:
    """Check the settings, the database and each provider, and say how to fix what is wrong."""

    async def work() -> bool:
        # Without a pool, so that the rest is looked at when the database is away.
        kit = open_providers(settings())
        checks: dict[str, Callable[[], Awaitable[Any]]] = {
            "database": _database,
            "redis": health_probes.cache,
            "nowpayments": kit.nowpayments.health,
            "kinguin": kit.kinguin.health,
            "rates": kit.rates.latest,
            "mail": kit.resend.health,
            "storage": kit.store.health,
        }
        results = [await _examine(name, check) for name, check in checks.items()]
        for warning in warnings(settings()):
            click.echo(warning, err=True)
        await kit.aclose()
        return all(results)

    sys.exit(0 if asyncio.run(work()) else 1)


def warnings(given: Settings) -> list[str]:
    """What may be left out, and what one then goes without."""
    if given.resend_webhook_secret.get_secret_value():
        return []
    return [
        _(
            "RESEND_WEBHOOK_SECRET is not set: bounces and complaints are not read, so nobody hears of a letter that "
            "never arrived. Add a webhook to /webhooks/resend in Resend's dashboard and set its signing secret."
        )
    ]


async def _database() -> None:
    """It takes writes, gives enough connections, and goes by the same time as we."""
    await health_probes.room()
    await health_probes.database()
    await db.ask_the_time()
    if said := clocks.words():
        raise health_probes.Unfit(said)
    if dropped := db.address().dropped:
        click.echo(
            _(
                "Ignored in DATABASE_URL, because our driver has no such parameter: %(names)s.",
                names=", ".join(dropped),
            ),
            err=True,
        )


async def _examine(name: str, check: Callable[[], Awaitable[Any]]) -> bool:
    try:
        await asyncio.wait_for(check(), 10)
    except Exception as error:
        click.echo(f"  {name:12} {type(error).__name__}: {error}")
        return False
    click.echo(f"  {name:12} ok")
    return True
