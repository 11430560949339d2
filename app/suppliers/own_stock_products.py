"""Products whose keys are ours: the owner names them, prices them and sees what is left."""

import re
import unicodedata
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec

from app.catalog.pricing import DEAREST
from app.catalog.reprice import FOREIGN
from app.core import clock, db, texts
from app.core.errors import Invalid
from app.core.i18n import _
from app.core.ids import new_id
from app.core.settings import settings
from app.issues import service as issues
from app.suppliers.own_stock import NAME, count_stock

PAGE = 50  # products a page
IMPORTS = 20  # of a product that are shown
LONGEST_ID = 24  # characters of a supplier's id for a product
MOST_LOW = 10_000  # keys


class BadProduct(Invalid):
    title = "This product can’t be saved"


class NewProduct(msgspec.Struct, frozen=True):
    """What an owner types. ``region``: where its keys work, empty where they do not say."""

    name: str
    platform: str
    region: str
    price: Decimal
    low_at: int
    description: str = ""


class OwnProduct(msgspec.Struct, frozen=True):
    """A product of our own stock. ``stock``: keys that can be sold now."""

    id: UUID
    slug: str
    name: str
    platform: str
    region: str
    price: Decimal
    currency: str
    stock: int
    active: bool
    low_at: int


class Import(msgspec.Struct, frozen=True):
    """One import of a product's keys."""

    created_at: datetime
    imported_by: str
    kept: int
    doubled: int


_SELECT = """SELECT p.id, p.slug, p.name, p.platform, p.region, p.price, p.currency, p.stock, p.active, o.low_at
             FROM product p JOIN own_stock_product o ON o.product_id = p.id"""


async def create(new: NewProduct) -> UUID:
    """A product that is on sale as soon as it has keys. Raises BadProduct."""
    name, platform, region = (texts.line(part) for part in (new.name, new.platform, new.region))
    if not 1 <= len(name) <= 200:
        raise BadProduct("Enter a name of 1 to 200 characters.", field="name")
    if not 1 <= len(platform) <= 64:
        raise BadProduct("Enter where the key is redeemed, such as Steam.", field="platform")
    if len(region) > 64:
        raise BadProduct("Enter a region of at most 64 characters.", field="region")
    _check_price(new.price)
    _check_low(new.low_at)
    product_id, now = new_id(), clock.now()
    async with db.transaction():
        await db.fetch(
            """INSERT INTO product (id, slug, name, platform, region, price, currency, cost, stock, active, supplier,
                 supplier_product_id, text_keys, fixed_price, details, released_on, description, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, true, $8, $9, false, true, $10::jsonb, $11, $12, $13, $13)""",
            product_id, _slug(f"{name} {platform} {region}", product_id), name, platform, region, new.price,
            settings().shop_currency, NAME, product_id.hex[-LONGEST_ID:], DETAILS, now.date().isoformat(),
            texts.plain(new.description)[:20_000], now,
        )  # fmt: skip
        await db.fetch(
            "INSERT INTO own_stock_product (product_id, low_at, created_at) VALUES ($1, $2, $3)",
            product_id, new.low_at, now,
        )  # fmt: skip
    return product_id


DETAILS = msgspec.json.encode(
    {"genres": [], "languages": [], "developers": [], "activation": "", "preorder": False, "blocked": [],
     "dlc": False, "tags": []}
).decode()  # fmt: skip


async def change(product_id: UUID, *, price: Decimal, low_at: int, active: bool) -> None:
    """Set what the owner decides about a product. Raises BadProduct."""
    _check_price(price)
    _check_low(low_at)
    async with db.transaction():
        await db.fetch("UPDATE own_stock_product SET low_at = $2 WHERE product_id = $1", product_id, low_at)
        await db.fetch(
            "UPDATE product SET price = $2, currency = $3, active = $4 WHERE id = $1 AND supplier = $5",
            product_id, price, settings().shop_currency, active, NAME,
        )  # fmt: skip
        await issues.resolve(f"product:{product_id}", FOREIGN)
        await count_stock(product_id, 0)


def _check_price(price: Decimal) -> None:
    if not 0 < price <= DEAREST or price != price.quantize(Decimal("0.01")):
        raise BadProduct("Enter a price such as 19.99.", field="price")


def _check_low(low_at: int) -> None:
    if not 0 <= low_at <= MOST_LOW:
        raise BadProduct(_("Enter a number from 0 to %(most)s.", most=MOST_LOW), field="low_at")


async def page(after: tuple[str, UUID] | None = None) -> list[OwnProduct]:
    """Products by name, those after the (name, id) of the last one seen."""
    name, product_id = after or (None, None)
    return await db.fetch_as(
        OwnProduct,
        f"""{_SELECT} WHERE p.supplier = $1 AND ($2::text IS NULL OR (p.name, p.id) > ($2, $3))
            ORDER BY p.name, p.id LIMIT $4""",
        NAME, name, product_id, PAGE,
    )  # fmt: skip


async def one(product_id: UUID) -> OwnProduct | None:
    rows = await db.fetch_as(OwnProduct, f"{_SELECT} WHERE p.id = $1 AND p.supplier = $2", product_id, NAME)
    return rows[0] if rows else None


async def imports(product_id: UUID) -> list[Import]:
    """A product's last imports, the newest first."""
    return await db.fetch_as(
        Import,
        """SELECT created_at, imported_by, kept, doubled FROM own_stock_import WHERE product_id = $1
           ORDER BY id DESC LIMIT $2""",
        product_id, IMPORTS,
    )  # fmt: skip


def _slug(words: str, product_id: UUID) -> str:
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return f"{re.sub(r'[^a-z0-9]+', '-', plain).strip('-')[:120].strip('-')}-{product_id.hex[-10:]}".strip("-")
