"""What a restored shop has to prove. ``python -m app.backup.proofs``, in an environment that knows the scratch alone.

Reads ``{table: rows}`` of the backup from stdin and writes its findings to stdout, as JSON. A process of its own, so
that every room looks at the scratch database through the one pool that it has.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import msgspec
from piccolo.apps.migrations.commands.base import BaseMigrationManager

from app.audit import service as audit
from app.backup import schema
from app.core import db, log
from app.core.crypto import SealBroken, WrappedKey
from app.core.i18n import _
from app.core.settings import settings
from app.core.vault import vault
from app.keys import queries as keys
from app.keys.models import PlacedKey
from app.ledger import service as ledger
from app.piccolo_app import APP_CONFIG
from app.providers.kit import open_store
from app.providers.storage import ObjectMissing, ObjectStore

SEALED = "SELECT id, order_id, item_id, ordinal, blob FROM sealed_key WHERE deleted_at IS NULL AND broken_at IS NULL"


class Finding(msgspec.Struct, frozen=True):
    """One proof: whether it holds, and the figures that say so."""

    name: str
    holds: bool
    said: str


class Unproven(Exception):
    """The text says what does not hold."""


async def rows(promised: dict[str, int]) -> str:
    """Every table of the backup has as many rows as were written into it."""
    found = {name: await db.fetch_value(f'SELECT count(*) FROM "{name}"') for name in promised}  # noqa: S608 - a table
    if wrong := [f"{name} has {found[name]} of {n}" for name, n in promised.items() if found[name] != n]:
        raise Unproven("; ".join(wrong))
    return f"{sum(found.values())} rows in {len(found)} tables"


async def migrations() -> str:
    """The tables are those of this version."""
    manager = BaseMigrationManager()
    ours = set(manager.get_migration_ids(manager.get_migration_modules(APP_CONFIG.resolved_migrations_folder_path)))
    async with db.connection() as connection:
        ran = set(await schema.migrations(connection))
    if ours != ran:
        raise Unproven(f"not current: {sorted(ours ^ ran)}")
    return f"{len(ran)} migrations, all current"


async def books() -> str:
    """Every order's ledger balances, and holds what its payments brought."""
    if wrong := await ledger.prove():
        raise Unproven(
            _(
                "%(number)s orders are off, %(order)s for one: %(why)s",
                number=len(wrong),
                order=wrong[0].order_id,
                why=wrong[0].why,
            )
        )
    orders = await db.fetch_value("SELECT count(DISTINCT order_id) FROM ledger_entry")
    return _("%(orders)s orders have entries, 0 are off", orders=orders)


async def chain() -> str:
    """The audit log is as it was written, from its first line to its head."""
    verdict = await audit.verify()
    if verdict.fault:
        raise Unproven(str(verdict.fault))
    return f"{verdict.seq} lines, all unchanged"


async def objects(store: ObjectStore) -> str:
    """Each sealed key has its object."""
    names = [key.blob for key in await db.fetch_as(PlacedKey, SEALED)]
    missing = [name for name in names if not await store.exists(name)]
    if missing:
        raise Unproven(
            _(
                "%(missing)s of %(number)s objects are missing, %(name)s for one",
                missing=len(missing),
                number=len(names),
                name=missing[0],
            )
        )
    return _("%(number)s stored keys, each with its object", number=len(names))


async def canary(store: ObjectStore) -> str:
    """The newest sealed key opens: the object, the wrapped key beside its order and MASTER_KEYS belong together."""
    key = await db.fetch_one_as(PlacedKey, f"{SEALED} ORDER BY created_at DESC, id DESC LIMIT 1")
    if key is None:
        return _("no key has been stored yet: none to open")
    wrapped = await keys.wrapped_key(key.order_id)
    if wrapped is None:
        raise Unproven(_("key %(id)s has no data key", id=key.id))
    try:
        data_key = vault().unwrap(WrappedKey(*wrapped), order_id=str(key.order_id))
        blob = await store.get(key.blob)
        data_key.open(blob, order_id=str(key.order_id), item_id=str(key.item_id), ordinal=key.ordinal)
    except (SealBroken, ObjectMissing) as broken:
        raise Unproven(_("key %(id)s does not open: %(why)s", id=key.id, why=broken)) from None
    return _("key %(id)s opens with master key %(master)s; nobody saw it", id=key.id, master=wrapped[0])


async def prove(promised: dict[str, int]) -> list[Finding]:
    """Every proof in turn; one that fails does not keep the others from being looked at."""
    store = open_store(settings())
    proofs: dict[str, Callable[[], Awaitable[str]]] = {
        "rows": lambda: rows(promised),
        "migrations": migrations,
        "ledger": books,
        "audit": chain,
        "objects": lambda: objects(store),
        "canary": lambda: canary(store),
    }
    await db.open_pool(2)
    findings = []
    for name, proof in proofs.items():
        try:
            findings.append(Finding(name, True, await proof()))
        except Exception as error:
            said = str(error) if isinstance(error, Unproven) else f"{type(error).__name__}: {error}"
            findings.append(Finding(name, False, said))
    await db.close_pool()
    return findings


if __name__ == "__main__":
    log.set_up("CRITICAL", "drill")  # what is found is said once, by whoever asked
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=dict[str, int])
    sys.stdout.buffer.write(msgspec.json.encode(asyncio.run(prove(given))))
