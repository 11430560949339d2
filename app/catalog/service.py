"""Keeping the catalog in step with the supplier, and counting discounts."""

import json
import re
import unicodedata
from decimal import Decimal
from typing import Any

from app.catalog.pricing import price_for
from app.core import clock, db
from app.core.errors import Invalid
from app.core.ids import new_id
from app.core.money import Money
from app.core.settings import settings
from app.providers.kinguin import Kinguin, Product

PAGE = 100  # products a call: the supplier's most (kinguin.md, 2)
MOST_STOCK = 1_000_000  # as good as endless, and our column ends
DEAREST = Decimal(100_000)  # EUR; a price beyond it is a slip, and our columns end


class UnknownDiscount(Invalid):
    title = "That discount code can't be used"


async def sync(*, kinguin: Kinguin) -> int:
    """Read the supplier's whole catalog and bring ours in step. Returns the number of products seen.

    Prices follow the supplier's; a product that is no longer listed is not sold any more.
    """
    seen: list[str] = []
    number = 1
    while True:
        page = await kinguin.products(page=number, limit=PAGE)
        async with db.transaction():
            for product in page.results:
                if product.preorder or product.price > DEAREST:
                    continue  # "key in minutes" is our word, and a pre-order's key may be months away
                await _keep(product)
                seen.append(product.product_id)
        if len(page.results) + page.skipped < PAGE:
            break
        number += 1
    await db.fetch(
        "UPDATE product SET active = false, updated_at = $2 WHERE active AND NOT supplier_product_id = ANY($1)",
        seen, clock.now(),
    )  # fmt: skip
    return len(seen)


async def refresh(supplier_product_id: str, *, kinguin: Kinguin) -> None:
    """Bring one product in step, after a ``product.update`` notice; one that is gone is out of stock."""
    product = await kinguin.product(supplier_product_id)
    if product is not None and not product.preorder and product.price <= DEAREST:
        await _keep(product)
    else:
        await db.fetch(
            "UPDATE product SET stock = 0, updated_at = $2 WHERE supplier_product_id = $1",
            supplier_product_id, clock.now(),
        )  # fmt: skip


async def _keep(product: Product) -> None:
    price = price_for(product.price, settings().eur_rate, settings().shop_currency)
    await db.fetch(
        """INSERT INTO product (id, slug, name, platform, region, price, currency, cost, stock, active,
             supplier_product_id, text_keys, details, released_on, description, created_at, updated_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, true, $10, $11, $12::jsonb, $13, $14, $15, $15)
           ON CONFLICT (supplier_product_id) DO UPDATE SET name = excluded.name, platform = excluded.platform,
             region = excluded.region, price = excluded.price, currency = excluded.currency, cost = excluded.cost,
             stock = excluded.stock, active = true, text_keys = excluded.text_keys, details = excluded.details,
             released_on = excluded.released_on, description = excluded.description,
             updated_at = excluded.updated_at""",
        new_id(), slug_for(product), product.original_name[:200], product.platform[:64], product.region.title()[:64],
        price.amount, price.currency, product.price, min(product.quantity, MOST_STOCK), product.product_id,
        product.text_quantity > 0, json.dumps(_details(product)), product.release_date[:10], product.description,
        clock.now(),
    )  # fmt: skip


def _details(product: Product) -> dict[str, Any]:
    return {
        "genres": list(product.genres),
        "languages": list(product.languages),
        "developers": list(product.developers),
        "activation": product.activation,
        "preorder": product.preorder,
    }


def slug_for(product: Product) -> str:
    """``hollow-tide-steam-europe-1042``: readable, and unique by the supplier's number."""
    words = f"{product.original_name} {product.platform} {product.region}"
    return f"{_plain(words)[:120].strip('-')}-{_plain(product.kinguin_id or product.product_id)}".strip("-")[:160]


def _plain(words: str) -> str:
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


async def discount_for(code: str, subtotal: Money) -> tuple[str, Decimal, Money]:
    """What ``code`` takes off ``subtotal``: (code, percent, amount). Counts nothing. Raises UnknownDiscount."""
    row = await db.fetch_one(
        """SELECT code, percent FROM discount WHERE code = upper($1) AND (expires_at IS NULL OR expires_at > $2)
           AND (max_uses IS NULL OR used < max_uses)""",
        code.replace("\x00", "").strip()[:32], clock.now(),
    )  # fmt: skip
    if row is None:
        raise UnknownDiscount("Check the code, or leave it out.", field="discount_code")
    return row["code"], row["percent"], subtotal.percent(row["percent"])


async def spend_discount(code: str) -> bool:
    """Count one use inside the order's transaction; False when the last one went to somebody else just now."""
    return bool(
        await db.fetch_value(
            """UPDATE discount SET used = used + 1 WHERE code = $1 AND (expires_at IS NULL OR expires_at > $2)
               AND (max_uses IS NULL OR used < max_uses) RETURNING true""",
            code,
            clock.now(),
        )
    )


async def create_discount(code: str, percent: Decimal, *, max_uses: int | None = None) -> None:
    """Create a code if it does not exist yet; codes are kept in capitals."""
    await db.fetch(
        "INSERT INTO discount (id, code, percent, max_uses) VALUES ($1, $2, $3, $4) ON CONFLICT (code) DO NOTHING",
        new_id(), code.upper(), percent, max_uses,
    )  # fmt: skip
