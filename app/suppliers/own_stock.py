"""Our own keys behind the port: sold oldest first, each once. Buying is one transaction of our own database."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Self
from uuid import UUID

import msgspec

from app.core import clock, db
from app.core.crypto import DataKey, WrappedKey
from app.core.i18n import N_
from app.core.ids import parse_id
from app.core.vault import vault
from app.issues import service as issues
from app.issues.codes import IssueCode
from app.providers.kit import Providers
from app.suppliers.errors import (
    DuplicateOrder,
    NothingToReturn,
    OrderNotFound,
    ProductUnavailable,
)
from app.suppliers.models import Found, KeyState, Notice, SupplierKey, SupplierOrder

NAME = "own_stock"
LOW = IssueCode.STOCK_LOW
MOST_FOUND = 25  # products a search names
TEXT = "text/plain"
FORGOTTEN_AT_ONCE = 1000  # sealed keys emptied in one statement


class _Sale(msgspec.Struct, frozen=True):
    quantity: int
    sold_at: datetime
    returned_at: datetime | None


class _Sold(msgspec.Struct, frozen=True):
    """A sold key, sealed, with the data key that seals it, wrapped."""

    media_type: str
    sealed: bytes
    ordinal: int
    product_id: UUID
    import_id: UUID
    master_key_id: str
    wrapped: bytes


class _Counted(msgspec.Struct, frozen=True):
    name: str
    stock: int
    low_at: int


class OwnStock:
    """Nothing is prepaid, nothing is charged and nobody has to be reached."""

    name = NAME
    title = N_("Own stock")
    needs: tuple[str, ...] = ()
    listing = None

    @classmethod
    def open(cls, kit: Providers) -> Self:
        return cls()

    async def find(self, external_id: str) -> SupplierOrder | None:
        sale_id = parse_id(external_id)
        return await _order(sale_id) if sale_id else None

    async def buy(
        self, *, external_id: str, product_id: str, quantity: int, max_unit_price: Decimal, text_only: bool
    ) -> SupplierOrder:
        """All of them or none. The owner has set the price, so ``max_unit_price`` limits nothing."""
        sale_id = UUID(external_id)
        async with db.transaction():
            ours = await db.fetch_value(
                "SELECT id FROM product WHERE supplier = $1 AND supplier_product_id = $2", NAME, product_id
            )
            if ours is None:
                raise ProductUnavailable(NAME, "buy", "no such product")
            await _begin_sale(sale_id, ours, quantity)
            taken = await _take(sale_id, ours, quantity, text_only=text_only)
            if taken < quantity:
                raise ProductUnavailable(NAME, "buy", f"{taken} of {quantity} keys are left")
            await count_stock(ours, -taken)
        found = await _order(sale_id)
        assert found is not None
        return found

    async def is_sold(self, product_id: str) -> bool:
        return bool(
            await db.fetch_value(
                """SELECT EXISTS (SELECT FROM product p JOIN own_stock_key k ON k.product_id = p.id
                   WHERE p.supplier = $1 AND p.supplier_product_id = $2 AND k.sale_id IS NULL)""",
                NAME, product_id,
            )
        )  # fmt: skip

    async def status(self, order_id: str) -> SupplierOrder:
        sale_id = parse_id(order_id)
        found = await _order(sale_id) if sale_id else None
        if found is None:
            raise OrderNotFound(NAME, "status", "no such sale")
        return found

    async def keys(self, order_id: str) -> list[SupplierKey]:
        sale_id = parse_id(order_id)
        rows = await db.fetch_as(
            _Sold,
            """SELECT k.media_type, k.sealed, k.ordinal, k.product_id, k.import_id, i.master_key_id, i.wrapped
               FROM own_stock_key k JOIN own_stock_import i ON i.id = k.import_id WHERE k.sale_id = $1 ORDER BY k.id""",
            sale_id,
        )
        if sale_id is None or not rows:
            raise OrderNotFound(NAME, "keys", "no such sale, or its keys were given back")
        return list(_opened(sale_id, rows))

    async def return_keys(self, order_id: str) -> None:
        """Put them on sale again, once."""
        sale_id = parse_id(order_id)
        async with db.transaction():
            returned = await db.fetch_value(
                """UPDATE own_stock_sale SET returned_at = $2 WHERE id = $1 AND returned_at IS NULL
                   RETURNING product_id""",
                sale_id, clock.now(),
            )  # fmt: skip
            if returned is None:
                raise NothingToReturn(NAME, "return_keys", "these keys were given back before")
            sql = "UPDATE own_stock_key SET sale_id = NULL WHERE sale_id = $1 AND sealed <> '' RETURNING 1"
            await count_stock(returned, len(await db.fetch(sql, sale_id)))

    async def search(self, words: str) -> tuple[Found, ...]:
        found = await db.fetch_as(
            Found,
            """SELECT supplier_product_id AS product_id, name, cost, stock FROM product
               WHERE supplier = $1 AND name ILIKE '%' || $2 || '%' ORDER BY name, id LIMIT $3""",
            NAME, words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_"), MOST_FOUND,
        )  # fmt: skip
        return tuple(found)

    async def balance(self) -> None:
        return None

    def read_notice(self, said: Mapping[str, object]) -> Notice:
        return Notice()


async def _begin_sale(sale_id: UUID, product_id: UUID, quantity: int) -> None:
    """Of two that buy for one reservation, the second waits here for the first, and is refused if it bought."""
    first = await db.fetch_value(
        """INSERT INTO own_stock_sale (id, product_id, quantity, sold_at) VALUES ($1, $2, $3, $4)
           ON CONFLICT (id) DO NOTHING RETURNING true""",
        sale_id, product_id, quantity, clock.now(),
    )  # fmt: skip
    if not first:
        raise DuplicateOrder(NAME, "buy", "bought before", may_have_happened=True)


async def _take(sale_id: UUID, product_id: UUID, quantity: int, *, text_only: bool) -> int:
    """Give the sale the oldest keys that nobody else is just buying. Returns how many there were."""
    rows = await db.fetch(
        """UPDATE own_stock_key SET sale_id = $1 WHERE id = ANY(ARRAY(
             SELECT id FROM own_stock_key WHERE product_id = $2 AND sale_id IS NULL AND (NOT $4 OR media_type = $5)
             ORDER BY id LIMIT $3 FOR UPDATE SKIP LOCKED)) RETURNING 1""",
        sale_id, product_id, quantity, text_only, TEXT,
    )  # fmt: skip
    return len(rows)


async def count_stock(product_id: UUID, change: int) -> None:
    """Bring the shop's stock in step with a sale, a return or an import, and tell the owner when few are left.

    Joins the surrounding transaction, as its last step: the product's row is what all of them lock.
    """
    (counted,) = await db.fetch_as(
        _Counted,
        """UPDATE product p SET stock = p.stock + $2, updated_at = $3 FROM own_stock_product o
           WHERE p.id = $1 AND o.product_id = p.id RETURNING p.name, p.stock, o.low_at""",
        product_id, change, clock.now(),
    )  # fmt: skip
    subject = f"product:{product_id}"
    if counted.stock >= counted.low_at:
        await issues.resolve(subject, LOW)
    elif counted.stock:
        keys = "1 key is" if counted.stock == 1 else f"{counted.stock} keys are"
        await issues.open_issue(subject, LOW, f"{counted.name}: {keys} left. Import more.")
    else:
        await issues.open_issue(subject, LOW, f"{counted.name}: no key is left, so it is sold out. Import more.")


async def _order(sale_id: UUID) -> SupplierOrder | None:
    sql = "SELECT quantity, sold_at, returned_at FROM own_stock_sale WHERE id = $1"
    sale = next(iter(await db.fetch_as(_Sale, sql, sale_id)), None)
    if sale is None:
        return None
    back = sale.returned_at is not None
    status, of_key = ("refunded", "returned") if back else ("completed", "delivered")
    keys = tuple(KeyState(_key_id(sale_id, number), of_key) for number in range(sale.quantity))
    return SupplierOrder(sale_id.hex, str(sale_id), status, sale.quantity, None, sale.sold_at, keys)


def _key_id(sale_id: UUID, number: int) -> str:
    """By the sale, as a key that was given back is sold again: within a sale they stand in order."""
    return f"{sale_id.hex}-{number}"


def _opened(sale_id: UUID, rows: Sequence["_Sold"]) -> Iterator[SupplierKey]:
    data_keys: dict[UUID, DataKey] = {}
    for number, row in enumerate(rows):
        made = row.import_id
        if made not in data_keys:
            data_keys[made] = vault().unwrap(WrappedKey(row.master_key_id, row.wrapped), order_id=str(made))
        serial = data_keys[made].open(row.sealed, order_id=str(made), item_id=str(row.product_id), ordinal=row.ordinal)
        yield SupplierKey(_key_id(sale_id, number), row.media_type, serial)


async def forget(before: datetime) -> int:
    """Empty what seals keys that were sold before then: nobody may see them any more. Returns how many."""
    forgotten = 0
    while rows := await db.fetch(
        """UPDATE own_stock_key SET sealed = '' WHERE id = ANY(ARRAY(
             SELECT k.id FROM own_stock_sale s JOIN own_stock_key k ON k.sale_id = s.id
             WHERE s.sold_at < $1 AND k.sealed <> '' LIMIT $2)) RETURNING 1""",
        before, FORGOTTEN_AT_ONCE,
    ):  # fmt: skip
        forgotten += len(rows)
    return forgotten
