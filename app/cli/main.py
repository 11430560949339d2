"""All groups of commands in one, and the entry point."""

import sys

import click
from asyncpg import InterfaceError, PostgresError

from app.cli.audit import audit
from app.cli.backups import backup, drill, restore
from app.cli.catalog import catalog
from app.cli.doctor import doctor
from app.cli.jobs import jobs
from app.cli.people import admin
from app.cli.simulation import simulate
from app.cli.start import migrate, seed, up
from app.cli.vault import vault
from app.cli.webhooks import webhooks
from app.core import log
from app.core.errors import Problem
from app.core.settings import BadSettings
from app.providers.http import ProviderError


@click.group(
    commands=[
        up, migrate, seed, admin, catalog, jobs, webhooks, vault, audit, doctor, backup, restore, drill, simulate,
    ]
)  # fmt: skip
def main() -> None:
    """BitLoot: a shop for digital keys, paid in crypto."""
    log.set_up("WARNING", "cli")


def run() -> None:
    """Our own errors are words, not tracebacks."""
    try:
        main(prog_name="bitloot")
    except (BadSettings, Problem, ProviderError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except (OSError, PostgresError, InterfaceError) as error:
        click.echo(f"The database can't be used: {type(error).__name__}: {error}", err=True)
        sys.exit(1)
