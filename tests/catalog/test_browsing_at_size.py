"""With 50,000 products a page of the catalog is read from an index, and no row but the page's own is read whole."""

import json
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from typing import Any

import pytest

from app.catalog import queries as catalog
from app.catalog.queries import PAGE, SORTS, Browse
from app.core import db, postgres

MANY = 50_000


@pytest.fixture(scope="module")
def asked() -> list[Browse]:
    return [Browse(sort=sort) for sort in SORTS]


@pytest.fixture
async def large(app: Any) -> AsyncIterator[None]:
    unhurried = await postgres.connect(db.address())  # what a page may take is too little for so many rows
    await unhurried.execute(
        """INSERT INTO product (id, slug, name, platform, region, price, currency, cost, stock, active,
             supplier_product_id, text_keys, details, released_on, description, created_at, updated_at)
           SELECT gen_random_uuid(), 'bulk-' || n, 'Game ' || md5(n::text), 'Bulkbox', 'Region ' || n % 3, 100 + n % 97,
             'USD', 1, 3, true, 'bulk-' || n, true, jsonb_build_object('blocked', ARRAY['DE'], 'genres',
             ARRAY['Genre ' || n % 5000]), (date '2030-01-01' + n % 5000)::text, repeat(md5(n::text), 20), now(), now()
           FROM generate_series(1, $1) n""",
        MANY,
    )
    await unhurried.execute("VACUUM ANALYZE product")
    yield
    await unhurried.execute("DELETE FROM product WHERE slug LIKE 'bulk-%'")
    await unhurried.execute("VACUUM ANALYZE product")
    await unhurried.close()


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", ()):
        yield from nodes(part)


async def plan_of(sql: str, *args: Any) -> dict[str, Any]:
    [row] = await db.fetch(f"EXPLAIN (FORMAT JSON) {sql}", *args)
    return dict(json.loads(row[0])[0]["Plan"])


async def test_each_order_is_read_from_an_index_and_only_the_pages_rows_are_read_whole(large, asked) -> None:
    for ask in [*asked, Browse(platform="Bulkbox", region="Region 1"), Browse(price_max=Decimal(110), sort="price")]:
        sql, args = catalog.browsing(ask)
        found = list(nodes(await plan_of(sql, *args)))
        assert "Seq Scan" not in {node["Node Type"] for node in found}, ask
        [limit] = [node for node in found if node["Node Type"] == "Limit"]
        below = {node["Node Type"] for node in nodes(limit)} - {"Limit"}
        assert below <= {"Index Scan", "Index Only Scan", "Incremental Sort"}, (ask, below)


async def test_the_pages_hold_what_they_held_before_one_after_the_other(large, asked) -> None:
    for ask in asked:
        order = SORTS[ask.sort][1]
        plain = await db.fetch(f"SELECT id FROM product WHERE active ORDER BY {order} LIMIT {3 * PAGE}")
        seen = []
        for number in (1, 2, 3):
            rows, total = await catalog.browse(Browse(sort=ask.sort, page=number))
            seen += [row.id for row in rows]
            assert total >= MANY
        assert seen == [row["id"] for row in plain], ask.sort


async def test_a_products_relations_are_of_its_genre_first_however_rare_it_is(large) -> None:
    product = await catalog.by_slug("bulk-7")
    assert product is not None
    related = await catalog.related(product)
    genres = await db.fetch(
        "SELECT details->'genres' AS g FROM product WHERE id = ANY($1)", [row.id for row in related]
    )
    assert [json.loads(row["g"]) for row in genres] == [["Genre 7"]] * 4
