"""``bitloot admin``."""

import click

from app.accounts import service as accounts
from app.accounts.logins import is_address
from app.cli.frame import with_database
from app.core.i18n import _
from app.mail.recipients import LONGEST


@click.group()
def admin() -> None:
    """People who run the shop."""


def _address(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not is_address(value.strip()) or len(value) > LONGEST:
        raise click.BadParameter(_("give an email address like name@example.com."))
    return value.strip()


@admin.command("create")
@click.argument("email", callback=_address)
@click.password_option(help="At least 12 characters. You are asked for it if you leave it out.")
def create(email: str, password: str) -> None:
    """Create an admin, or give one a new password."""
    with_database(lambda: accounts.create_staff(email, password))
    click.echo(_("%(email)s can sign in at /admin.", email=email))


@admin.command("unlock")
@click.argument("email", callback=_address)
def unlock(email: str) -> None:
    """Let an admin sign in again at once after too many wrong passwords, whoever tried them."""
    with_database(lambda: accounts.unlock(email))
    click.echo(_("%(email)s can sign in again.", email=email))
