"""Bringing what seals our own stock under the first master key; no sealed key is read or written."""

from uuid import UUID

import msgspec

from app.audit import service as audit
from app.core import db, log
from app.core.crypto import SealBroken, WrappedKey, sealed_under
from app.core.vault import vault
from app.suppliers.own_stock_import import OWNER

BATCH = 200  # imports rewrapped in one transaction


class Rewrapped(msgspec.Struct, frozen=True):
    """How many data keys moved, and the imports whose data key opens under no key we have."""

    moved: int
    stuck: list[UUID]


class _Wrapped(msgspec.Struct, frozen=True):
    id: UUID
    master_key_id: str
    wrapped: bytes


class _Wraps(msgspec.Struct, frozen=True):
    master_key_id: str
    number: int


async def rewrap(actor: str) -> Rewrapped:
    """Move the data key of every import, and the key of the digests. Killed anywhere, it goes on when started again."""
    current, after, moved, stuck = vault().current_id, UUID(int=0), 0, list[UUID]()
    while rows := await db.fetch_as(
        _Wrapped,
        """SELECT id, master_key_id, wrapped FROM own_stock_import WHERE master_key_id <> $1 AND id > $2
           ORDER BY id LIMIT $3""",
        current, after, BATCH,
    ):  # fmt: skip
        after = rows[-1].id
        async with db.transaction():
            for row in rows:
                if await _move(row.id, WrappedKey(row.master_key_id, row.wrapped)):
                    moved += 1
                else:
                    stuck.append(row.id)
            await audit.write("vault.rewrapped", actor=actor, details=f"data keys of own stock now under {current}")
    await _move_secret()
    return Rewrapped(moved, stuck)


async def by_master_key() -> dict[str, int]:
    """How many data keys each master key wraps, the key of the digests counted too."""
    sql = "SELECT master_key_id, count(*) AS number FROM own_stock_import GROUP BY 1 ORDER BY 1"
    counts = {row.master_key_id: row.number for row in await db.fetch_as(_Wraps, sql)}
    sealed = await db.fetch_value("SELECT sealed FROM own_stock_secret WHERE id = 1")
    if sealed is not None:
        counts[sealed_under(bytes(sealed))] = counts.get(sealed_under(bytes(sealed)), 0) + 1
    return counts


async def _move(import_id: UUID, wrapped: WrappedKey) -> bool:
    """False where it does not open."""
    try:
        fresh = vault().rewrap(wrapped, order_id=str(import_id))
    except SealBroken as broken:
        log.get("bitloot.suppliers").error("vault.stuck", import_id=str(import_id), why=str(broken))
        return False
    await db.fetch(
        "UPDATE own_stock_import SET master_key_id = $2, wrapped = $3 WHERE id = $1 AND wrapped = $4",
        import_id, fresh.master_key_id, fresh.blob, wrapped.blob,
    )  # fmt: skip
    return True


async def _move_secret() -> None:
    sealed = await db.fetch_value("SELECT sealed FROM own_stock_secret WHERE id = 1")
    if sealed is not None and sealed_under(bytes(sealed)) != vault().current_id:
        fresh = vault().seal(vault().open(bytes(sealed), owner=OWNER), owner=OWNER)
        await db.fetch("UPDATE own_stock_secret SET sealed = $2 WHERE id = 1 AND sealed = $1", sealed, fresh)
