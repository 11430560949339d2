"""All groups of commands in one, and the entry point."""

import importlib
import sys

import click
from asyncpg import InterfaceError, PostgresError

from app.core import log
from app.core.database_url import BadDatabaseUrl
from app.core.errors import Problem
from app.core.settings import BadSettings
from app.providers.errors import ProviderError

ROOMS = {  # command → the module of this folder that holds it
    "up": "start", "migrate": "start", "seed": "start", "admin": "people", "catalog": "catalog", "jobs": "jobs",
    "webhooks": "webhooks", "vault": "vault", "audit": "audit", "doctor": "doctor", "backup": "backups",
    "restore": "backups", "drill": "backups", "simulate": "simulation",
}  # fmt: skip


class Commands(click.Group):
    """Loads only the command that is asked for: most of a short command's time would go into the others' imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ROOMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ROOMS:
            return None
        found: click.Command = getattr(importlib.import_module(f"app.cli.{ROOMS[cmd_name]}"), cmd_name)
        return found


@click.command(cls=Commands)
def main() -> None:
    """BitLoot: a shop for digital keys, paid in crypto."""
    log.set_up("WARNING", "cli")


def run() -> None:
    """Our own errors are words, not tracebacks."""
    try:
        main(prog_name="bitloot")
    except Problem as problem:
        # An error's title is its page's headline; here it stands before what to do.
        said = problem.title if problem.detail == problem.title else f"{problem.title}. {problem.detail}"
        click.echo(said, err=True)
        sys.exit(1)
    except (BadSettings, ProviderError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except BadDatabaseUrl as bad:
        click.echo(f"The database's URL {bad}.", err=True)
        sys.exit(1)
    except (OSError, PostgresError, InterfaceError) as error:
        click.echo(f"The database can't be used: {type(error).__name__}: {error}", err=True)
        sys.exit(1)
