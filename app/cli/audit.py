"""``bitloot audit``."""

import sys
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import click

from app.audit import bundle, service
from app.audit.bundle import NotGenuine, Statement
from app.cli.abroad import with_providers
from app.cli.frame import with_database
from app.core import clock
from app.core.i18n import _
from app.providers.errors import ProviderError
from app.providers.kit import Providers
from app.providers.storage import ObjectMissing, ObjectStore

ANCHORS_BACK = timedelta(days=3)  # how far back an anchor is looked for in the object store; one is put there hourly


@click.group()
def audit() -> None:
    """The audit log: check that nothing in it was changed, and export it signed."""


@audit.command("verify")
@click.option("--bundle", "exported", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Verify an exported file instead, without a database.")  # fmt: skip
@click.option("--public-key", help="With --bundle: the public key whose signature it must have, in base64.")
@click.option("--anchor", "anchors", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="An earlier export or anchor: the log must still contain everything in it.")  # fmt: skip
def verify(exported: Path | None, public_key: str | None, anchors: tuple[Path, ...]) -> None:
    """Check the log from its first line to its last. Exits with 1 and names the first bad line if one was changed,
    removed, added or moved."""
    if exported is not None:
        _verify_bundle(exported, public_key)
        return
    known = [_statement(path) for path in anchors]

    async def work(kit: Providers) -> service.ChainCheck:
        return await service.verify([*known, *await _newest_anchor(kit.store, clock.now())])

    verdict = with_providers(work)
    if verdict.fault:
        click.echo(_("Tampered with: %(fault)s.", fault=verdict.fault), err=True)
        sys.exit(1)
    click.echo(
        _("%(seq)s lines, all unchanged; %(anchors)s signed anchors match.", seq=verdict.seq, anchors=verdict.anchors)
    )


def _verify_bundle(path: Path, public_key: str | None) -> None:
    if not public_key:
        raise click.UsageError(_("--bundle needs --public-key: the one inside the file proves nothing."))
    with path.open("rb") as lines:
        try:
            found = bundle.verify(lines, public_key)
        except NotGenuine as why:
            click.echo(_("Not genuine: %(why)s.", why=why), err=True)
            sys.exit(1)
    click.echo(_("%(seq)s lines, signed %(at)s, all unchanged.", seq=found.seq, at=found.at))


def _statement(path: Path) -> Statement:
    with path.open("rb") as lines:
        ending = deque(lines, maxlen=1)
    try:
        return bundle.read_statement(b"".join(ending), bundle.public_text(service.signing_key()))
    except NotGenuine as why:
        raise click.ClickException(_("%(path)s is not an anchor of this shop: %(why)s.", path=path, why=why)) from None


async def _newest_anchor(store: ObjectStore, now: datetime) -> list[Statement]:
    """The newest statement in the object store: it has seen a tail that was cut off together with the head."""
    for name in _names(now):
        try:
            return [bundle.read_statement(await store.get(name), bundle.public_text(service.signing_key()))]
        except ObjectMissing:
            continue
        except (ProviderError, NotGenuine) as why:
            click.echo(_("The anchor %(name)s can't be used: %(why)s.", name=name, why=why), err=True)
            return []
    click.echo(_("No anchor in the object store yet: the clock process writes one every hour."), err=True)
    return []


def _names(now: datetime) -> Iterator[str]:
    for hours in range(int(ANCHORS_BACK.total_seconds() // 3600)):
        yield bundle.anchor_name(now - timedelta(hours=hours))


@audit.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export(file: Path) -> None:
    """Write the whole log to FILE, signed. Refused if the log does not verify."""

    async def work() -> None:
        await service.write("audit.exported", actor="command line")
        draft = file.with_name(f"{file.name}.part")
        with draft.open("wb") as out:
            async for line in service.export():
                out.write(line)
        draft.replace(file)

    with_database(work)
    click.echo(file)
    click.echo(_("Public key: %(key)s", key=bundle.public_text(service.signing_key())))


@audit.command("public-key")
def public_key() -> None:
    """The key that verifies exports. Give it to whoever checks them beforehand."""
    click.echo(bundle.public_text(service.signing_key()))
