"""Sealing keys, revealing them to their owner, and the log of both."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core import clock, db, log
from app.core.crypto import DataKey, Plaintext, SealBroken, WrappedKey
from app.core.errors import Conflict, Gone, NotFound, Unavailable
from app.core.ids import new_id
from app.history import service as history
from app.keys import queries
from app.keys.vault import vault
from app.orders import service as orders
from app.providers.http import ProviderDown
from app.providers.kinguin import SupplierKey
from app.providers.storage import ObjectMissing, ObjectStore

LINK_SECONDS = 900  # how long a download link works (design: 15 minutes)
REVEALABLE = {"paid", "fulfilled"}


class KeyNotReady(Conflict):
    title = "This key is not ready yet"


class KeyLocked(Conflict):
    title = "This key can't be shown any more"


class KeyGone(Gone):
    title = "This key is no longer kept"


class KeyBroken(Unavailable):
    title = "This key could not be opened"


class KeyStoreAway(Unavailable):
    title = "Keys can't be fetched just now"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, for the audit log."""

    actor: str
    ip: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A key that lies in the store already and waits for its row."""

    key_id: UUID
    supplier_key_id: str
    media_type: str
    blob: str
    ordinal: int


@dataclass(frozen=True, slots=True)
class Revealed:
    """A key shown to its owner. ``value`` hides itself from logs and reprs."""

    key_id: UUID
    media_type: str
    value: Plaintext
    first: bool
    revealed_at: datetime


async def data_key(order_id: UUID) -> DataKey:
    """The order's own AES key, made and wrapped on first use."""
    wrapped = await queries.wrapped_key(order_id)
    if wrapped is None:
        fresh = vault().wrap(DataKey.random(), order_id=str(order_id))
        await db.fetch(
            """INSERT INTO order_data_key (order_id, master_key_id, wrapped, created_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (order_id) DO NOTHING""",
            order_id, fresh.master_key_id, fresh.blob, clock.now(),
        )  # fmt: skip
        wrapped = await queries.wrapped_key(order_id)  # ours, or that of who was first
    assert wrapped is not None
    return vault().unwrap(WrappedKey(*wrapped), order_id=str(order_id))


async def seal(
    order_id: UUID, item_id: UUID, fetched: Sequence[SupplierKey], *, first_ordinal: int, store: ObjectStore
) -> list[Sealed]:
    """Seal each fetched key and put its blob into the store. Nothing counts until ``keep`` writes the rows."""
    key = await data_key(order_id)
    sealed = []
    for ordinal, found in enumerate(fetched, first_ordinal):
        key_id = new_id()
        blob = key.seal(found.serial, order_id=str(order_id), item_id=str(item_id), ordinal=ordinal)
        name = f"keys/{order_id}/{key_id}"
        sealed.append(Sealed(key_id, found.id, found.media_type, name, ordinal))
        await store.put(name, blob)
    return sealed


async def keep(order_id: UUID, item_id: UUID, sealed: Sequence[Sealed]) -> None:
    """Write the rows of sealed keys; a unit or a supplier's key that has one already is an error, not a second key."""
    for one in sealed:
        await db.fetch(
            """INSERT INTO sealed_key (id, order_id, item_id, ordinal, supplier_key_id, media_type, blob, created_at,
                 locked_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, (SELECT held_at FROM purchase WHERE id = $2))""",
            one.key_id, order_id, item_id, one.ordinal, one.supplier_key_id, one.media_type, one.blob, clock.now(),
        )  # fmt: skip


async def reveal(order_id: UUID, item_id: UUID, visitor: Visitor, *, store: ObjectStore) -> list[Revealed]:
    """Open an item's keys for their owner.

    The blobs are fetched and opened first; then one transaction marks them revealed and writes the audit lines, and
    only after its commit does the caller get the plaintext. Raises NotFound, KeyNotReady, KeyLocked, KeyGone, KeyBroken
    or KeyStoreAway.
    """
    rows = await queries.of_item(order_id, item_id)
    if not rows:
        if await queries.item_exists(order_id, item_id):
            raise KeyNotReady("We mail you as soon as it is; this page shows it too.")
        raise NotFound
    if any(row["deleted_at"] for row in rows):
        raise KeyGone("Keys are deleted after the time named in our terms. Write to us if you never saw yours.")
    opened = await _open(order_id, item_id, rows, store)
    async with db.transaction():
        order = await orders.lock(order_id)
        if order is None or order["status"] not in REVEALABLE:
            raise KeyNotReady("This order is not open for reveals any more.")
        if order["held_at"] is not None or await queries.any_locked(item_id):
            raise KeyLocked("The money for it is on its way back to you. Your order's page says how far that is.")
        first, times = await _mark(order_id, rows, visitor)
    return [
        Revealed(row["id"], row["media_type"], plain, row["id"] in first, times[row["id"]])
        for row, plain in zip(rows, opened, strict=True)
    ]


async def _open(order_id: UUID, item_id: UUID, rows: list[dict[str, Any]], store: ObjectStore) -> list[Plaintext]:
    try:
        key = await data_key(order_id)
        blobs = await asyncio.gather(*(store.get(row["blob"]) for row in rows))
        return [
            key.open(blob, order_id=str(order_id), item_id=str(item_id), ordinal=row["ordinal"])
            for row, blob in zip(rows, blobs, strict=True)
        ]
    except (SealBroken, ObjectMissing) as broken:
        log.get("bitloot.keys").error("key.broken", order_id=str(order_id), why=type(broken).__name__)
        raise KeyBroken("Our team has been told. Your key is not lost: we will write to you.") from None
    except ProviderDown:
        raise KeyStoreAway("Your key is safe. Try again in a minute.") from None


async def _mark(order_id: UUID, rows: list[dict[str, Any]], visitor: Visitor) -> tuple[set[UUID], dict[UUID, datetime]]:
    """Which keys are shown for the first time, and when each was; under the order's lock, so one caller is first."""
    ids = [row["id"] for row in rows]
    fresh = await db.fetch(
        "UPDATE sealed_key SET revealed_at = $2 WHERE id = ANY($1) AND revealed_at IS NULL RETURNING id",
        ids, clock.now(),
    )  # fmt: skip
    for key_id in ids:
        await audit(order_id, "key.revealed", visitor, key_id=key_id)
    if fresh:
        await history.record(order_id, "key.revealed", keys=len(rows))
    times = await db.fetch("SELECT id, revealed_at FROM sealed_key WHERE id = ANY($1)", ids)
    return {row["id"] for row in fresh}, {row["id"]: row["revealed_at"] for row in times}


async def links(
    order_id: UUID, item_id: UUID, visitor: Visitor, *, store: ObjectStore, key_id: UUID | None = None
) -> list[dict[str, Any]]:
    """Links to an item's sealed blobs, or to one of them, good for 15 minutes: ``[{key_id, url, seconds}]``.

    Each is audited.
    """
    rows = [row for row in await queries.of_item(order_id, item_id) if key_id in (None, row["id"])]
    if any(row["deleted_at"] for row in rows):
        raise KeyGone("Keys are deleted after the time named in our terms. Write to us if you never saw yours.")
    if not rows:
        raise KeyNotReady("There is nothing to download yet.")
    found = [
        {
            "key_id": row["id"],
            "seconds": LINK_SECONDS,
            "url": await store.link(row["blob"], filename=f"bitloot-{row['id']}.sealed", seconds=LINK_SECONDS),
        }
        for row in rows
    ]
    async with db.transaction():
        for row in rows:
            await audit(order_id, "key.link_issued", visitor, key_id=row["id"])
    return found


async def audit(order_id: UUID, action: str, visitor: Visitor, *, key_id: UUID | None = None) -> None:
    """Write one line of the audit log, in the transaction of the act itself."""
    await db.fetch(
        """INSERT INTO key_audit (at, action, order_id, key_id, actor, ip, user_agent)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        clock.now(), action, order_id, key_id, visitor.actor[:340], visitor.ip[:45], visitor.user_agent[:400],
    )  # fmt: skip


async def lock(order_id: UUID) -> None:
    """Under the order's lock: keys nobody has seen are not shown any more."""
    await db.fetch(
        "UPDATE sealed_key SET locked_at = $2 WHERE order_id = $1 AND revealed_at IS NULL AND locked_at IS NULL",
        order_id, clock.now(),
    )  # fmt: skip


async def unlock(order_id: UUID) -> bool:
    """Keys may be shown again, but for those that were given back to the supplier. False if there are such."""
    await db.fetch("UPDATE sealed_key SET locked_at = NULL WHERE order_id = $1 AND returned_at IS NULL", order_id)
    return not await db.fetch_value(
        "SELECT EXISTS (SELECT FROM sealed_key WHERE order_id = $1 AND locked_at IS NOT NULL)", order_id
    )


async def give_back(item_id: UUID, *, given: bool) -> bool:
    """Mark an item's locked keys as given back to the supplier, or as kept after all. False if one may be seen."""
    if given and await db.fetch_value(
        "SELECT EXISTS (SELECT FROM sealed_key WHERE item_id = $1 AND locked_at IS NULL)", item_id
    ):
        return False
    await db.fetch("UPDATE sealed_key SET returned_at = $2 WHERE item_id = $1", item_id, clock.now() if given else None)
    return True


async def retire(order_limit: datetime, *, store: ObjectStore) -> int:
    """Delete the blobs of keys that were sealed before ``order_limit``; their rows and audit lines stay."""
    rows = await db.fetch(
        "SELECT id, blob FROM sealed_key WHERE deleted_at IS NULL AND created_at < $1 LIMIT 200", order_limit
    )
    for row in rows:
        await store.delete(row["blob"])
        await db.fetch("UPDATE sealed_key SET deleted_at = $2 WHERE id = $1", row["id"], clock.now())
    return len(rows)
