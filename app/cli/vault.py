"""``bitloot vault``."""

import sys

import click

from app.cli.frame import with_database
from app.core.i18n import _
from app.core.vault import vault as master_keys
from app.keys import key_rotation, queries
from app.suppliers import own_stock_rotation
from app.webhooks import secrets


@click.group()
def vault() -> None:
    """Master keys, and what they encrypt: the data keys of orders and own stock, and the endpoints' signing secrets."""


@vault.command("status")
def status() -> None:
    """How many data keys and secrets each master key encrypts, and which ones you can remove."""
    (wrapped, sealed, ours), listed = with_database(_counts), master_keys().ids
    used = {**wrapped, **sealed, **ours}
    for ident in [*listed, *(ident for ident in used if ident not in listed)]:
        keys, others = wrapped.get(ident, 0) + ours.get(ident, 0), sealed.get(ident, 0)
        if others:
            said = _("wraps %(keys)s data keys and %(secrets)s webhook secrets", keys=keys, secrets=others)
        else:
            said = _("wraps %(keys)s data keys", keys=keys)
        click.echo(f"  {ident:32} {said}{_advice(ident, keys + others)}")
    sys.exit(0 if set(used) <= set(listed) else 1)


async def _counts() -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    return await queries.by_master_key(), await secrets.by_master_key(), await own_stock_rotation.by_master_key()


def _advice(ident: str, count: int) -> str:
    if ident == master_keys().current_id:
        return _(", and every new one")
    if ident not in master_keys().ids:
        return _(": it is NOT in MASTER_KEYS, so these keys can't be revealed. Add it again")
    return _(": `bitloot vault rotate` moves them") if count else _(": you can remove it from MASTER_KEYS")


@vault.command("rotate")
@click.option("--batch", default=key_rotation.BATCH, type=click.IntRange(1, 5000), help="Data keys per transaction.")
def rotate(batch: int) -> None:
    """Re-encrypt every data key and signing secret with the first master key. Reveals and deliveries keep working.

    Killed, it goes on when started again.
    """

    async def work() -> tuple[int, int, own_stock_rotation.Rewrapped, secrets.Rewrapped]:
        moved = stuck = 0
        async for done in key_rotation.rotate("command line", batch=batch):
            moved, stuck = moved + done.moved, stuck + len(done.stuck)
            click.echo(_("%(moved)s rewrapped", moved=moved))
        ours = await own_stock_rotation.rewrap("command line")
        return moved, stuck, ours, await secrets.rewrap("command line")

    moved, stuck, ours, signing = with_database(work)
    click.echo(_("Done: %(moved)s data keys moved to %(key)s.", moved=moved, key=master_keys().current_id))
    if ours.moved:
        click.echo(
            _("%(moved)s data keys of own stock moved to %(key)s.", moved=ours.moved, key=master_keys().current_id)
        )
    if ours.stuck:
        click.echo(
            _("Imports of own stock that could not be opened: %(names)s.", names=", ".join(map(str, ours.stuck))),
            err=True,
        )
    if signing.moved:
        click.echo(
            _(
                "Secrets of %(moved)s webhook endpoints moved to %(key)s.",
                moved=signing.moved,
                key=master_keys().current_id,
            )
        )
    if signing.stuck:
        named = ", ".join(map(str, signing.stuck))
        click.echo(_("Endpoints whose secret could not be opened: %(names)s.", names=named), err=True)
    if stuck:
        click.echo(
            _("%(stuck)s could not be opened; the log names their orders. See `bitloot vault status`.", stuck=stuck),
            err=True,
        )
    if stuck or ours.stuck or signing.stuck:
        sys.exit(1)
