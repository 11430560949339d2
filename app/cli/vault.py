"""``bitloot vault``."""

import sys

import click

from app.cli.frame import with_database
from app.keys import custody, queries
from app.keys.vault import vault as master_keys


@click.group()
def vault() -> None:
    """Master keys, and the orders' data keys that they wrap."""


@vault.command("status")
def status() -> None:
    """How many data keys each master key wraps, and which master keys may be dropped."""
    wrapped, listed = with_database(queries.by_master_key), master_keys().ids
    for ident in [*listed, *(ident for ident in wrapped if ident not in listed)]:
        click.echo(f"  {ident:32} wraps {wrapped.get(ident, 0)} data keys{_advice(ident, wrapped.get(ident, 0))}")
    sys.exit(0 if set(wrapped) <= set(listed) else 1)


def _advice(ident: str, count: int) -> str:
    if ident == master_keys().current_id:
        return ", and every new one"
    if ident not in master_keys().ids:
        return ": it is NOT in MASTER_KEYS, so their keys can't be revealed. Put it back"
    return ": `bitloot vault rotate` moves them" if count else ": it may be dropped from MASTER_KEYS"


@vault.command("rotate")
@click.option("--batch", default=custody.BATCH, type=click.IntRange(1, 5000), help="Data keys in one transaction.")
def rotate(batch: int) -> None:
    """Rewrap every data key with the first master key. Reveals go on; killed, it goes on when started again."""

    async def work() -> tuple[int, int]:
        moved = stuck = 0
        async for done in custody.rotate("command line", batch=batch):
            moved, stuck = moved + done.moved, stuck + len(done.stuck)
            click.echo(f"{moved} rewrapped")
        return moved, stuck

    moved, stuck = with_database(work)
    click.echo(f"Done: {moved} data keys moved to {master_keys().current_id}.")
    if stuck:
        click.echo(f"{stuck} could not be opened; the log names their orders. See `bitloot vault status`.", err=True)
        sys.exit(1)
