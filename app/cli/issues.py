"""``bitloot issues``: the command line's twin of the admin's list of what needs a person."""

import getpass
from uuid import UUID

import click

from app.audit import service as audit
from app.cli.frame import with_database
from app.core import db
from app.core.errors import NotFound
from app.core.i18n import _
from app.issues import queries, service
from app.issues.codes import matter
from app.orders import reasons


class NoSuchIssue(NotFound):
    title = "No such issue"


@click.group()
def issues() -> None:
    """What needs a person."""


@issues.command("list")
@click.option("--limit", default=50)
def index(limit: int) -> None:
    """One open issue per line, the oldest first."""
    for issue in with_database(lambda: queries.open_page(limit, None)):
        detail = " / ".join(issue.detail.split("\n")) if issue.detail else _(matter(issue.code).title)
        click.echo(f"{issue.id}  {issue.opened_at:%Y-%m-%d %H:%M}  {issue.code:24} {issue.subject}  {detail}")


@issues.command("resolve")
@click.argument("issue_id", type=click.UUID)
@click.option("--note", default="", help="How it was dealt with; needed for an order's.")
def resolve(issue_id: UUID, note: str) -> None:
    """Say that an issue is settled. One that ends by itself can't be."""
    by = f"{getpass.getuser()} at the command line"

    async def work() -> bool:
        issue = await queries.find(issue_id)
        if issue is None:
            raise NoSuchIssue(_("`bitloot issues list` shows all open ones."))
        said = note.strip()[: service.LONGEST_NOTE]
        of_order = issue.subject.startswith(reasons.ABOUT)
        async with db.transaction():
            if of_order:
                done = await reasons.mark_dealt_with(issue, by=by, note=said)
            else:
                done = await service.mark_resolved(issue, by=by, note=said)
            if done:
                details = f"{issue.code} {issue.subject}: {said}".removesuffix(": ")[:300]
                order_id = reasons.order_of(issue.subject) if of_order else None
                await audit.write("issue.resolved", actor=by, order_id=order_id, details=details)
        return done

    click.echo(_("Resolved.") if with_database(work) else _("It was resolved before."))
