"""All groups of commands in one, and the entry point."""

import contextlib
import copy
import importlib
import inspect
import os
import sys

import click
from asyncpg import InterfaceError, PostgresError

from app.core import i18n, log
from app.core.database_url import BadDatabaseUrl
from app.core.errors import Problem
from app.core.i18n import _
from app.core.settings import BadSettings
from app.providers.errors import ProviderError

ROOMS = {  # command → the module of this folder that holds it
    "up": "start", "migrate": "start", "seed": "start", "admin": "people", "catalog": "catalog", "jobs": "jobs",
    "issues": "issues",
    "webhooks": "webhooks", "vault": "vault", "audit": "audit", "doctor": "doctor", "backup": "backups",
    "restore": "backups", "drill": "backups", "simulate": "simulation",
}  # fmt: skip


LOCALES = ("LC_ALL", "LC_MESSAGES", "LANG")  # by precedence (POSIX)


def translated(command: click.Command) -> click.Command:
    """A command with its help, and that of its options and commands, in the language at hand."""
    if i18n.language() == i18n.SOURCE:
        return command
    shown = copy.copy(command)
    shown.help = _(inspect.cleandoc(command.help or ""))
    shown.short_help = _(command.short_help or "") or None
    shown.params = [_translated_option(param) for param in command.params]
    if isinstance(command, click.Group) and isinstance(shown, click.Group):
        shown.commands = {name: translated(one) for name, one in command.commands.items()}
    return shown


def _translated_option(param: click.Parameter) -> click.Parameter:
    shown = copy.copy(param)
    if isinstance(shown, click.Option):
        shown.help = _(shown.help or "") or None
    return shown


class Commands(click.Group):
    """Loads only the command that is asked for: most of a short command's time would go into the others' imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ROOMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in ROOMS:
            return None
        found: click.Command = getattr(importlib.import_module(f"app.cli.{ROOMS[cmd_name]}"), cmd_name)
        return translated(found)


@click.command(cls=Commands)
def main() -> None:
    """BitLoot: a shop for digital keys, paid in crypto."""
    log.set_up("WARNING", "cli")


def run() -> None:
    """In the language of the terminal. Our own errors are words, not tracebacks."""
    with i18n.speaking(_language()):
        _run()


def _language() -> str:
    """The language of LC_ALL, LC_MESSAGES or LANG, such as ``de_DE.UTF-8``, where we ship it."""
    named = next((found for name in LOCALES if (found := os.environ.get(name))), "")
    with contextlib.suppress(BadSettings):  # which say themselves what is wrong, in English
        return i18n.choose("", named.partition(".")[0].partition("@")[0].replace("_", "-"))
    return i18n.SOURCE


def _run() -> None:
    try:
        translated(main)(prog_name="bitloot")
    except Problem as problem:
        # An error's title is its page's headline; here it stands before what to do.
        title, detail = _(problem.title), _(problem.detail)
        said = title if detail == title else f"{title}. {detail}"
        click.echo(said, err=True)
        sys.exit(1)
    except (BadSettings, ProviderError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except BadDatabaseUrl as bad:
        click.echo(_("The database's URL %(bad)s.", bad=bad), err=True)
        sys.exit(1)
    except (OSError, PostgresError, InterfaceError) as error:
        click.echo(
            _("The database can't be used: %(kind)s: %(error)s", kind=type(error).__name__, error=error), err=True
        )
        sys.exit(1)
