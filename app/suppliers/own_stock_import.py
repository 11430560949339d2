"""Importing our own keys: each sealed before it is stored, and each once, whichever product it was imported for."""

import hashlib
import hmac
import os
from collections.abc import Sequence
from uuid import UUID

import msgspec

from app.audit import service as audit
from app.core import clock, db
from app.core.crypto import KEY_BYTES, DataKey, Plaintext
from app.core.ids import new_id
from app.core.vault import vault
from app.suppliers.own_stock import count_stock
from app.suppliers.own_stock_files import NewKey

OWNER = "own stock digests"  # what the digests' key is bound to


class Imported(msgspec.Struct, frozen=True):
    """What came of an import: keys that are on sale now, and those that we had already."""

    kept: int
    doubled: int


async def import_keys(
    product_id: UUID, keys: Sequence[NewKey], *, by: str, ip: str = "", user_agent: str = ""
) -> Imported:
    """Seal and store keys for a product, all in one transaction with its audit line.

    Args:
        product_id: a product of our own stock.
        keys: as ``own_stock_files.read`` gives them.
        by: who imports; ``ip`` and ``user_agent`` say from where.
    """
    made, data_key = new_id(), DataKey.random()
    async with db.transaction():
        secret = await _digest_key()
        new = {_digest(secret, key.serial): key for key in reversed(keys)}
        wrapped = vault().wrap(data_key, order_id=str(made))
        await db.fetch(
            """INSERT INTO own_stock_import (id, product_id, imported_by, kept, doubled, master_key_id, wrapped,
                 created_at) VALUES ($1, $2, $3, 0, 0, $4, $5, $6)""",
            made, product_id, by, wrapped.master_key_id, wrapped.blob, clock.now(),
        )  # fmt: skip
        rows = [
            (new_id(), ordinal, key.media_type, digest,
             data_key.seal(key.serial, order_id=str(made), item_id=str(product_id), ordinal=ordinal))
            for ordinal, (digest, key) in enumerate(reversed(new.items()))
        ]  # fmt: skip
        kept = await db.fetch(
            """INSERT INTO own_stock_key (id, product_id, import_id, ordinal, media_type, digest, sealed)
               SELECT id, $1, $2, ordinal, media_type, digest, sealed
               FROM unnest($3::uuid[], $4::int[], $5::text[], $6::bytea[], $7::bytea[])
                 AS n (id, ordinal, media_type, digest, sealed) ORDER BY digest
               ON CONFLICT (digest) DO NOTHING RETURNING 1""",
            product_id, made, *([row[column] for row in rows] for column in range(5)),
        )  # fmt: skip
        done = Imported(len(kept), len(keys) - len(kept))
        await db.fetch(
            "UPDATE own_stock_import SET kept = $2, doubled = $3 WHERE id = $1", made, done.kept, done.doubled
        )
        await count_stock(product_id, done.kept)
        said = f"{done.kept} keys for product {product_id}, {done.doubled} left out as we had them"
        await audit.write("stock.imported", actor=by, ip=ip, user_agent=user_agent, details=said)
    return done


async def _digest_key() -> bytes:
    """The key of all digests, made on first use."""
    sealed = await db.fetch_value("SELECT sealed FROM own_stock_secret WHERE id = 1")
    if sealed is None:
        fresh = vault().seal(Plaintext(os.urandom(KEY_BYTES)), owner=OWNER)
        await db.fetch("INSERT INTO own_stock_secret (id, sealed) VALUES (1, $1) ON CONFLICT (id) DO NOTHING", fresh)
        sealed = await db.fetch_value("SELECT sealed FROM own_stock_secret WHERE id = 1")  # ours, or who was first
    return vault().open(bytes(sealed), owner=OWNER).reveal()


def _digest(secret: bytes, serial: Plaintext) -> bytes:
    """The same for a key however its letters are written: shops print one key in several ways."""
    return hmac.digest(secret, serial.reveal().lower(), hashlib.sha256)
