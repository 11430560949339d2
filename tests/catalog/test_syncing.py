"""Keeping in step with the supplier: prices, stock and what is sold at all follow it; one odd row stops nothing."""

import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog import products as products_room
from app.catalog import queries
from app.catalog import service as catalog
from app.catalog.models import ListedProduct
from app.core import clock, db
from app.core.ids import new_id
from app.providers import kinguin_answers
from app.providers.kinguin import Kinguin
from app.suppliers.kinguin import KinguinSupplier, listed
from tests.builders import count, products, rows

PLAIN = {
    "productId": "f" * 24,
    "kinguinId": 9,
    "name": "Game",
    "price": 10,
    "qty": 5,
    "textQty": 5,
    "platform": "Oddbox",
}


def product(**change: Any) -> ListedProduct:
    return listed(kinguin_answers.product(PLAIN | change))


@pytest.fixture
async def supplier(app) -> AsyncIterator[Any]:
    """A supplier that answers each question for a product with what it is told to."""
    shelf: dict[str, Any] = {}

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": json.dumps(shelf).encode()})

    client = Kinguin("http://supplier/esa/api", "key", transport=httpx.ASGITransport(answer))

    async def refresh(**change: Any) -> dict[str, Any] | None:
        shelf.update(PLAIN | change)
        await catalog.refresh(shelf["productId"], listing=KinguinSupplier(client))
        row = await db.fetch_one("SELECT * FROM product WHERE supplier_product_id = $1", shelf["productId"])
        return dict(row) if row else None

    yield refresh
    await db.fetch("DELETE FROM product WHERE platform = 'Oddbox' OR supplier_product_id = $1", PLAIN["productId"])


async def sync(app: Any) -> int:
    return await catalog.sync(listing=KinguinSupplier(app.state.kit.kinguin))


async def row(product_id: Any) -> dict[str, Any]:
    found = await db.fetch_one("SELECT * FROM product WHERE id = $1", product_id)
    assert found is not None
    return dict(found)


async def test_the_whole_catalog_is_read_without_what_is_not_out_yet(app, box) -> None:
    listed = await box.asks("GET", "products")
    assert await sync(app) == len(listed) - 1 == await queries.count()
    assert await count("product", "details->>'preorder' = 'true'") == 0


async def test_reading_it_again_changes_nothing_but_the_time_of_it(app) -> None:
    columns = "slug, name, price, cost, stock, active, details, created_at"
    before = await db.fetch(f"SELECT {columns} FROM product ORDER BY id")
    await sync(app)
    assert await db.fetch(f"SELECT {columns} FROM product ORDER BY id") == before


async def test_price_and_stock_follow_the_supplier_and_ours_keeps_its_margin(app, box) -> None:
    (mine,) = await products()
    await box.set_product(mine["supplier_product_id"], price="42.00", stock=3)
    await sync(app)
    found = await row(mine["id"])
    assert (found["cost"], found["stock"], found["slug"]) == (Decimal("42.00"), 3, mine["slug"])
    assert found["price"] == Decimal("54.89"), "42 EUR are 46.20 dollars; with 18 % and 0.35 that is 54.87"


async def test_a_product_the_supplier_lists_no_more_is_not_sold_any_more(app, supplier) -> None:
    mine = await supplier()
    await sync(app)
    assert not (await row(mine["id"]))["active"]
    assert await queries.listed([mine["id"]]) == {}


async def test_a_product_that_is_listed_again_is_sold_again(app) -> None:
    (mine,) = await products()
    await db.fetch("UPDATE product SET active = false WHERE id = $1", mine["id"])
    await sync(app)
    assert list(await queries.listed([mine["id"]])) == [mine["id"]]


async def test_one_product_is_looked_up_again_alone(app, box) -> None:
    mine, other = await products(2)
    await box.set_product(mine["supplier_product_id"], stock=2)
    await box.set_product(other["supplier_product_id"], stock=2)
    await catalog.refresh(mine["supplier_product_id"], listing=KinguinSupplier(app.state.kit.kinguin))
    assert [(await row(p["id"]))["stock"] for p in (mine, other)] == [2, other["stock"]]


async def test_one_that_is_withdrawn_is_out_of_stock(app, box) -> None:
    (mine,) = await products()
    await box.set_product(mine["supplier_product_id"], mode="unavailable")
    await catalog.refresh(mine["supplier_product_id"], listing=KinguinSupplier(app.state.kit.kinguin))
    assert (await row(mine["id"]))["stock"] == 0


async def test_a_supplier_that_is_down_changes_nothing(app, box) -> None:
    before = await rows()
    await box.fault("kinguin", "error500", count=1)
    with pytest.raises(Exception, match="500"):
        await sync(app)
    assert await rows() == before


@pytest.mark.parametrize(
    "odd",
    [
        {"name": "N" * 5000},
        {"platform": "Oddbox" * 50},
        {"regionalLimitations": "R" * 500},
        {"releaseDate": "2026-01-01T00:00:00+00:00"},
        {"releaseDate": "some time next spring"},
        {"qty": 10**12, "textQty": 10**12},
        {"name": "Ключ 鍵 🎮", "kinguinId": None},
        {"name": "Line\nbreak"},
    ],
)
async def test_an_odd_row_is_kept_within_our_columns(supplier, odd: dict[str, Any]) -> None:
    found = await supplier(**odd)
    assert found is not None
    assert found["active"]


@pytest.mark.parametrize("odd", [{"price": 10**30}, {"isPreorder": True}])
async def test_what_we_do_not_sell_is_not_kept(supplier, odd: dict[str, Any]) -> None:
    before = await rows()
    assert await supplier(**odd) is None
    assert await rows() == before


@given(st.text(max_size=300), st.text(max_size=100), st.integers(1, 10**9))
def test_a_slug_is_plain_and_ends_in_the_suppliers_number(name: str, platform: str, number: int) -> None:
    slug = products_room.slug_for(product(name=f"x{name}", platform=platform, kinguinId=number))
    assert set(slug) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(slug) <= 160
    assert slug.split("-")[-1] == str(number)


def test_two_products_never_share_a_slug_however_alike_they_are() -> None:
    alike = [product(name="N" * 400, kinguinId=number) for number in range(50)]
    unnumbered = [product(productId=f"{n:024x}", kinguinId=None) for n in range(50)]
    assert len({products_room.slug_for(p) for p in alike + unnumbered}) == 100


async def test_every_slug_of_the_catalog_is_its_own(app) -> None:
    assert await count("product") == await db.fetch_value("SELECT count(DISTINCT slug) FROM product")


async def test_an_unknown_product_of_the_suppliers_makes_no_row(app) -> None:
    before = await rows()
    with clock.travelled(clock.timedelta(minutes=1)):
        await catalog.refresh(new_id().hex[:24], listing=KinguinSupplier(app.state.kit.kinguin))
    assert await rows() == before
