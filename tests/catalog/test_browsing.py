"""Browsing: search, filters, sorting and paging find what is there, and take any text for nothing but text."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.catalog import queries as catalog
from app.catalog.queries import PAGE, SORTS, Browse
from app.core import clock, db
from app.core.ids import new_id
from tests.builders import products, rows

ODD = ["100% Orange_Juice", "100 Oranges", "Back\\slash Alley", "Backslash Alley", "O'Brien's; DROP", "Ünïcode Ключ 鍵"]
anything = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), max_size=60)
HERE = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
async def odd(app) -> AsyncIterator[None]:
    """Six products with difficult names, on a platform of their own."""
    for place, name in enumerate(ODD):
        await db.fetch(
            """INSERT INTO product (id, slug, name, platform, region, price, currency, cost, stock, active,
                 supplier_product_id, text_keys, details, released_on, description, created_at, updated_at)
               VALUES ($1, $2, $3, 'Oddbox', 'Moon', $4, 'USD', 1, 3, true, $2, true, '{}', $5, '', $6, $6)""",
            new_id(), f"odd-{place}", name, Decimal(5 + place), f"2020-01-0{place + 1}", clock.now(),
        )  # fmt: skip
    yield
    await db.fetch("DELETE FROM product WHERE platform = 'Oddbox'")


async def names(**ask: object) -> list[str]:
    found, total = await catalog.browse(Browse(platform="Oddbox", **ask))  # type: ignore[arg-type]
    assert total == len(found)
    return [product.name for product in found]


SEARCHES = {
    "%": ODD[:1],
    "_": ODD[:1],
    "100%": ODD[:1],
    "oranges": ODD[1:2],
    "ORANGE 100": [ODD[0], ODD[1]],
    "\\": ODD[2:3],
    "backslash": ODD[3:4],
    "';": [],
    "O'Brien's;": ODD[4:5],
    "ключ": ODD[5:],
    "ünïcode": ODD[5:],
    "100_Oranges": [],
    "orange banana": [],
}


async def test_a_search_takes_every_sign_for_itself(odd) -> None:
    assert {q: await names(q=q, sort="price") for q in SEARCHES} == SEARCHES


@HERE
@example(q="'; DROP TABLE product; --")
@example(q="\\' OR 1=1 --")
@given(q=anything)
async def test_any_text_searches_and_harms_nothing(odd, q: str) -> None:
    found, total = await catalog.browse(Browse(q=q, platform="Oddbox"))
    words = q.split()[:8]
    assert total == len(found) <= len(ODD)
    assert {p.name for p in found} <= set(ODD)
    assert len(found) == len(ODD) or words


@HERE
@given(platform=anything, region=anything, sort=anything)
async def test_any_filter_and_any_order_are_harmless(odd, platform: str, region: str, sort: str) -> None:
    found, _ = await catalog.browse(Browse(platform=platform, region=region, sort=sort))
    assert all(not platform or p.platform == platform for p in found)


async def test_browsing_changes_nothing(odd) -> None:
    before = await rows()
    await names(q="'; DELETE FROM product; --")
    assert await rows() == before


async def test_filters_narrow_by_platform_region_and_price(odd) -> None:
    assert await names(region="Moon", sort="price") == ODD
    assert await names(region="moon") == []
    assert await names(price_min=Decimal(6), price_max=Decimal(7), sort="price") == ODD[1:3]
    assert await names(price_min=Decimal(8), price_max=Decimal(7)) == []


async def test_each_order_starts_with_its_first_and_an_unknown_one_with_the_newest(odd) -> None:
    first = {"price": ODD[0], "-price": ODD[-1], "newest": ODD[-1], "name": ODD[1], "?": ODD[-1]}
    assert {sort: (await names(sort=sort))[0] for sort in first} == first


@pytest.mark.parametrize("sort", SORTS)
async def test_pages_show_every_product_once_in_one_order(app, sort: str) -> None:
    ask = Browse(sort=sort)
    shown, total = await catalog.browse(ask)
    for number in range(2, total // PAGE + 2):
        more, again = await catalog.browse(replace(ask, page=number))
        assert again == total
        shown += more
    assert len(shown) == len({p.id for p in shown}) == total == await catalog.count()
    if "price" in sort:
        amounts = [p.price.amount for p in shown]
        assert amounts == sorted(amounts, reverse=sort == "-price")


async def test_a_page_past_the_end_is_empty_and_still_knows_how_many_there_are(app) -> None:
    assert await catalog.browse(Browse(page=999)) == ([], await catalog.count())


async def test_the_counts_beside_the_filters_are_what_the_filters_find(app) -> None:
    facets = await catalog.facets()
    assert sum(n for _, n in facets["platform"]) == sum(n for _, n in facets["region"]) == await catalog.count()
    for platform, number in facets["platform"]:
        assert (await catalog.browse(Browse(platform=platform)))[1] == number


async def test_a_product_that_is_not_sold_is_nowhere(odd) -> None:
    await db.fetch("UPDATE product SET active = false WHERE slug = 'odd-0'")
    gone = await db.fetch_value("SELECT id FROM product WHERE slug = 'odd-0'")
    assert ODD[0] not in await names()
    assert await catalog.by_slug("odd-0") is None
    assert await catalog.listed([gone]) == {}
    assert await catalog.name_of("odd-0") == ODD[0]


async def test_related_products_are_others_that_can_be_bought(app) -> None:
    (row,) = await products()
    shown = await catalog.by_slug(row["slug"])
    assert shown is not None
    found = await catalog.related(shown)
    assert len({p.id for p in found} - {row["id"]}) == 4
    assert all(p.stock > 0 for p in found)
