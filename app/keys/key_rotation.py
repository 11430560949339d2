"""What happens to kept keys over the years: their data keys move to a new master key, and their blobs are deleted."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.audit import service as audit
from app.core import clock, db, log
from app.core.crypto import SealBroken, WrappedKey
from app.core.vault import vault
from app.history import service as history
from app.keys import queries
from app.keys.models import KeyBlob, WrappedDataKey
from app.orders import service as orders
from app.providers.storage import ObjectStore

BATCH = 200  # data keys rewrapped in one transaction
ORDERS_A_ROUND = 200
BLOBS = "keys/"  # where sealed keys lie in the store
UNNAMED = timedelta(days=1)  # a row is written moments after its blob: those that still have one are gone by then


@dataclass(frozen=True, slots=True)
class Rewrapped:
    """One batch of a rotation: how many data keys moved, and the orders whose data key opens under no key we have."""

    moved: int
    stuck: list[UUID]


async def rotate(actor: str, *, batch: int = BATCH) -> AsyncIterator[Rewrapped]:
    """Bring every data key under the first master key, a batch and a commit at a time; no blob is read or written.

    A reveal meanwhile finds its data key under the old master key or the new one, and both open. Killed anywhere, it
    goes on when started again; of two at once, each row is moved by one.
    """
    current, after = vault().current_id, None
    while rows := await queries.wrapped_by_others(current, after, batch):
        after = rows[-1].order_id
        yield await _rewrap(rows, actor)


async def _rewrap(rows: list[WrappedDataKey], actor: str) -> Rewrapped:
    current, fresh, stuck = vault().current_id, [], []
    for row in rows:
        try:
            found = WrappedKey(row.master_key_id, row.wrapped)
            fresh.append((row.order_id, row.wrapped, vault().rewrap(found, order_id=row.order_id).blob))
        except SealBroken as broken:
            log.get("bitloot.keys").error("vault.stuck", order_id=str(row.order_id), why=str(broken))
            stuck.append(row.order_id)
    async with db.transaction():
        moved = await db.fetch(
            """UPDATE order_data_key AS k SET master_key_id = $1, wrapped = n.fresh
               FROM unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS n (order_id, old, fresh)
               WHERE k.order_id = n.order_id AND k.wrapped = n.old RETURNING k.order_id""",
            current, *([row[column] for row in fresh] for column in range(3)),
        )  # fmt: skip
        if moved:
            await audit.write("vault.rewrapped", actor=actor, details=f"{len(moved)} data keys now under {current}")
    return Rewrapped(len(moved), stuck)


async def retire(order_limit: datetime, *, store: ObjectStore) -> int:
    """Delete the blobs of keys that were sealed before ``order_limit``; their rows and audit lines stay.

    First the keys are closed, with their line; then the blobs go; then the rows forget where they lay. So a reveal
    never meets a key without its blob, and what dies in between is finished by the next run. Returns how many keys.
    """
    retired = 0
    while found := await queries.orders_to_retire(order_limit, ORDERS_A_ROUND):
        for order_id in found:
            retired += await _close(order_id, order_limit)
            await _empty(order_id, store)
    # A worker that died between putting a blob and writing its row left one that no row names.
    await store.expire(BLOBS, order_limit - UNNAMED)
    return retired


async def _close(order_id: UUID, order_limit: datetime) -> int:
    async with orders.changing(order_id):
        closed = await db.fetch_values(
            """UPDATE sealed_key SET deleted_at = $3 WHERE order_id = $1 AND deleted_at IS NULL AND created_at < $2
               RETURNING id""",
            order_id, order_limit, clock.now(),
        )  # fmt: skip
        for key_id in closed:
            await audit.write("key.retired", actor="retention", order_id=order_id, key_id=key_id)
        if closed:
            await history.record(order_id, "key.retired", keys=len(closed))
    return len(closed)


async def _empty(order_id: UUID, store: ObjectStore) -> None:
    sql = "SELECT id, blob FROM sealed_key WHERE order_id = $1 AND deleted_at IS NOT NULL AND blob <> ''"
    for key in await db.fetch_as(KeyBlob, sql, order_id):
        await store.delete(key.blob)
        await db.fetch("UPDATE sealed_key SET blob = '' WHERE id = $1", key.id)
