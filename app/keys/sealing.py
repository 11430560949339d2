"""Sealing: an order's own data key, the keys sealed under it, and their rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.core import clock, db
from app.core.crypto import DataKey, WrappedKey
from app.core.ids import new_id
from app.core.vault import vault
from app.keys import queries
from app.providers.storage import ObjectStore
from app.suppliers.models import SupplierKey


@dataclass(frozen=True, slots=True)
class Sealed:
    """A key that lies in the store already and waits for its row."""

    key_id: UUID
    supplier_key_id: str
    media_type: str
    blob: str
    ordinal: int


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
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, (SELECT frozen_at FROM customer_order WHERE id = $2))""",
            one.key_id, order_id, item_id, one.ordinal, one.supplier_key_id, one.media_type, one.blob, clock.now(),
        )  # fmt: skip
