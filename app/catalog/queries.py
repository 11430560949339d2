"""Reading the catalog."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.catalog.conditions import Conditions
from app.catalog.models import AdminProduct, Details, Listed, Offer, SoldProduct, Supply
from app.core import db
from app.core.batch_writer import BatchWriter
from app.core.i18n import N_
from app.core.money import Money

PAGE = 24  # products a page: fills rows of 2, 3, 4 and 6
CANDIDATES = 100  # products of a genre and of a platform that others are chosen from
SORTS = {
    "newest": (N_("Newest"), "released_on DESC, name, id"),
    "name": (N_("Name"), "lower(name), id"),
    "price": (N_("Price, low to high"), "price, lower(name), id"),
    "-price": (N_("Price, high to low"), "price DESC, lower(name), id"),
}


@dataclass(frozen=True, slots=True)
class Browse:
    """What a visitor asks the catalog for."""

    q: str = ""
    platform: str = ""
    region: str = ""
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    sort: str = "newest"
    page: int = 1


_COLUMNS = (
    "id, slug, name, platform, region, price, currency, stock, details->>'blocked' AS blocked, "
    "details->>'dlc' = 'true' AS dlc"
)


def _listed(row: Mapping[str, Any]) -> Listed:
    price = Money(row["price"], row["currency"])
    blocked = tuple(json.loads(row["blocked"])) if row["blocked"] else ()
    conditions = Conditions(row["platform"], row["region"], blocked, bool(row["dlc"]))
    return Listed(
        row["id"], row["slug"], row["name"], row["platform"], row["region"], price, row["stock"], conditions
    )  # fmt: skip


def _where(ask: Browse) -> tuple[str, list[Any]]:
    parts: list[str] = ["active"]
    args: list[Any] = []
    for column, value in (("platform", ask.platform), ("region", ask.region)):
        if value:
            args.append(value)
            parts.append(f"{column} = ${len(args)}")
    for word in ask.q.split()[:8]:
        args.append("%" + word.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%")
        parts.append(f"name ILIKE ${len(args)}")
    for sign, bound in ((">=", ask.price_min), ("<=", ask.price_max)):
        if bound is not None:
            args.append(bound)
            parts.append(f"price {sign} ${len(args)}")
    return " AND ".join(parts), args


def browsing(ask: Browse) -> tuple[str, list[Any]]:
    """The statement of ``browse``: what matches is counted and put in order by narrow columns that stand in an index,
    and only the page's own rows are read whole."""
    where, args = _where(ask)
    order = SORTS.get(ask.sort, SORTS["newest"])[1]
    page = f"SELECT id FROM product WHERE {where} ORDER BY {order} LIMIT {PAGE} OFFSET {(ask.page - 1) * PAGE}"  # noqa: S608
    count = f"SELECT count(*) FROM product WHERE {where}"  # noqa: S608 - fixed words only
    sql = f"SELECT {_COLUMNS}, ({count}) AS total FROM product WHERE id IN ({page}) ORDER BY {order}"  # noqa: S608
    return sql, args


async def browse(ask: Browse) -> tuple[list[Listed], int]:
    """One page of products and the number of all that match."""
    sql, args = browsing(ask)
    rows = await db.fetch(sql, *args)
    if rows or ask.page == 1:
        return [_listed(r) for r in rows], rows[0]["total"] if rows else 0
    where, args = _where(ask)
    return [], await db.fetch_value(f"SELECT count(*) FROM product WHERE {where}", *args)  # noqa: S608


async def facets() -> dict[str, list[tuple[str, int]]]:
    """How many products there are per platform and per region, the most first."""
    rows = await db.fetch(
        """SELECT 'platform' AS kind, platform AS name, count(*) AS n FROM product WHERE active GROUP BY platform
           UNION ALL SELECT 'region', region, count(*) FROM product WHERE active GROUP BY region ORDER BY 3 DESC, 2"""
    )
    found: dict[str, list[tuple[str, int]]] = {"platform": [], "region": []}
    for row in rows:
        found[row["kind"]].append((row["name"], row["n"]))
    return found


async def by_slug(slug: str) -> SoldProduct | None:
    """A product with all that its page shows; None when it is not sold."""
    row = await db.fetch_one(
        """SELECT *, details->>'blocked' AS blocked, details->>'dlc' = 'true' AS dlc FROM product
           WHERE slug = $1 AND active""",
        slug,
    )
    if row is None:
        return None
    details = msgspec.json.decode(row["details"], type=Details)
    return SoldProduct(_listed(row), row["supplier"], row["description"], row["released_on"], details)


async def related(product: SoldProduct, limit: int = 4) -> list[Listed]:
    """Other games that share a genre, else the platform: out of the first CANDIDATES of each, not of the whole shop."""
    genre = (product.details.genres or [""])[0]
    rows = await db.fetch(
        f"""SELECT {_COLUMNS} FROM product WHERE id IN (
              (SELECT id FROM product WHERE active AND stock > 0 AND details->'genres' ? $2 LIMIT {CANDIDATES}) UNION
              (SELECT id FROM product WHERE active AND stock > 0 AND platform = $3 LIMIT {CANDIDATES}) UNION
              (SELECT id FROM product WHERE active AND stock > 0 LIMIT {CANDIDATES})) AND id <> $1
            ORDER BY (details->'genres' ? $2) DESC, (platform = $3) DESC, md5(id::text || $1::text) LIMIT $4""",  # noqa: S608
        product.listed.id, genre, product.listed.platform, limit,
    )  # fmt: skip
    return [_listed(r) for r in rows]


async def listed(ids: Sequence[UUID]) -> dict[UUID, Listed]:
    """Those of ``ids`` that are sold, by id. Questions that come while one is being answered are asked together."""
    found = await _listed_together(ids)
    return {product_id: found[product_id] for product_id in ids if product_id in found}


async def _listed_of_all(asked: Sequence[Sequence[UUID]]) -> list[dict[UUID, Listed]]:
    every = list({product_id for ids in asked for product_id in ids})
    rows = await db.fetch(f"SELECT {_COLUMNS} FROM product WHERE active AND id = ANY($1)", every)  # noqa: S608
    return [{r["id"]: _listed(r) for r in rows}] * len(asked)


_listed_together = BatchWriter(_listed_of_all)


async def name_of(slug: str) -> str | None:
    """The title a cover is drawn for; also of products that are not sold any more, for old orders."""
    name: str | None = await db.fetch_value("SELECT name FROM product WHERE slug = $1", slug)
    return name


async def every_nth_slug(count: int) -> list[str]:
    """The first slug that is sold, and then each ``count``-th: where a sitemap's parts begin. Reads an index alone."""
    return await db.fetch_values(
        """SELECT slug FROM (SELECT slug, row_number() OVER (ORDER BY slug) AS n FROM product WHERE active) AS numbered
           WHERE n % $1 = 1 ORDER BY slug""",
        count,
    )


async def slugs_from(first: str, count: int) -> list[tuple[str, datetime]]:
    """Up to ``count`` products that are sold, from the slug ``first`` on, each with when it last changed."""
    rows = await db.fetch(
        "SELECT slug, updated_at FROM product WHERE active AND slug >= $1 ORDER BY slug LIMIT $2", first, count
    )
    return [(row["slug"], row["updated_at"]) for row in rows]


async def for_purchase(product_id: UUID) -> Supply:
    """What is known of a product's supply now. Raises LookupError."""
    found = await db.fetch_one_as(
        Supply,
        """SELECT supplier, supplier_product_id, active, stock, coalesce(offered_cost, cost) AS cost
           FROM product WHERE id = $1""",
        product_id,
    )
    if found is None:
        raise LookupError(f"no product {product_id}")
    return found


_OFFER = "o.supplier, o.supplier_product_id, o.text_keys"


async def offer(product_id: UUID, other: tuple[str, str] | None = None) -> Offer:
    """A product's own offer, or the other one that was chosen for it: a supplier and its id for the product."""
    if other is None:
        found = await db.fetch_one_as(Offer, f"SELECT {_OFFER} FROM product o WHERE id = $1", product_id)  # noqa: S608
    else:
        sql = f"SELECT {_OFFER} FROM product o WHERE supplier = $1 AND supplier_product_id = $2"  # noqa: S608
        found = await db.fetch_one_as(Offer, sql, *other)
    if found is None:
        raise LookupError(f"no product {product_id}")
    return found


async def offers(product_id: UUID, *, most: Decimal, quantity: int) -> list[Offer]:
    """Where a product is to be had by what we know, at ``most`` EUR each: its own offer first, then the cheapest of
    the same game for the same platform and region, whichever supplier has it."""
    return await db.fetch_as(
        Offer,
        f"""SELECT {_OFFER} FROM product p JOIN product o ON lower(o.name) = lower(p.name)
             AND lower(o.platform) = lower(p.platform) AND lower(o.region) = lower(p.region)
           WHERE p.id = $1 AND o.active AND o.stock >= $3 AND o.cost <= $2
           ORDER BY (o.id = p.id) DESC, o.cost, o.supplier_product_id""",  # noqa: S608 - fixed words only
        product_id, most, quantity,
    )  # fmt: skip


async def for_admin(product_id: UUID) -> AdminProduct | None:
    """One product, whether it is sold or not."""
    return await db.fetch_one_as(
        AdminProduct,
        """SELECT id, slug, name, price, currency, cost, offered_cost, held_since, stock, active, supplier,
             supplier_product_id
           FROM product WHERE id = $1""",
        product_id,
    )


async def version() -> object:
    """Something that changes whenever any product does."""
    return await db.fetch_value("SELECT max(updated_at) FROM product")


async def count() -> int:
    return int(await db.fetch_value("SELECT count(*) FROM product WHERE active"))
