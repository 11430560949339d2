"""What decides whether a key is of use stands before the price, in the checkout, on the order and in the letter."""

import re

import pytest

from app.catalog import service as catalog
from app.core import db
from app.suppliers.kinguin import KinguinSupplier
from tests.web.builders import EMAIL, count, picture, product, ready, submit

BLOCKED = "Can’t be activated in Belarus, Germany and Russia."
DLC = "This is an add-on (DLC). You need the base game"


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.fixture
async def limited(app, client, box):
    """The first product of the shop's list, which Germany can't activate, as an add-on."""
    item = await product(client)
    supplier_id = await db.fetch_value("SELECT supplier_product_id FROM product WHERE slug = $1", item["slug"])
    await box.set_product(supplier_id, countries=["DE", "BY", "RU"], tags=["dlc"])
    await catalog.sync(listing=KinguinSupplier(app.state.kit.kinguin))
    return item


async def test_it_stands_before_the_price(limited, browser_client, client) -> None:
    page = (await browser_client.get(f"/products/{limited['slug']}")).text
    buy = page[page.index('class="buy"') :]
    for said in (BLOCKED, DLC):
        assert words(buy).index(said) < words(buy).index(f"${limited['price']['amount']}")
    assert f"{limited['region']}, except 3 countries" in words(page)
    told = (await client.get(f"/products/{limited['slug']}")).json()
    assert told["conditions"][-1] == BLOCKED
    assert (told["blocked"], told["dlc"]) == (["DE", "BY", "RU"], True)


async def test_no_list_says_region_free_of_it_without_more(limited, browser_client) -> None:
    for path in (f"/?q={limited['name']}", "/cart", "/checkout"):
        await submit(browser_client, "/cart", {"slug": limited["slug"], "quantity": "1"})
        page = words((await browser_client.get(path)).text)
        assert "except 3 countries" in page, path
        assert not re.search(r"Region Free(?!, except| \()", page.replace("All regions", "")) or path.startswith("/?")


async def test_the_checkout_says_it(limited, browser_client) -> None:
    await submit(browser_client, "/cart", {"slug": limited["slug"], "quantity": "1"})
    page = words((await browser_client.get("/checkout")).text)
    assert BLOCKED in page
    assert page.index(BLOCKED) < page.index("Place order")


async def test_the_orders_page_and_the_letters_say_what_was_sold_whatever_changes_later(
    limited, app, client, box, drain, visitor
) -> None:
    bought = await ready(client, box, drain)
    supplier_id = await db.fetch_value("SELECT supplier_product_id FROM product WHERE slug = $1", limited["slug"])
    await box.set_product(supplier_id, countries="", tags="")
    await catalog.sync(listing=KinguinSupplier(app.state.kit.kinguin))
    browser = visitor()
    browser.cookies.set("bitloot_orders", bought.token)
    for path in (f"/orders/{bought.id}", f"/orders/{bought.id}/success"):
        page = words((await browser.get(path)).text)
        assert BLOCKED in page, path
        assert DLC in page, path
    letters = {letter["tags"][0]["value"]: letter for letter in await box.mail()}
    for kind in ("order_received", "key_ready"):
        for body in (words(letters[kind]["html"]), words(letters[kind]["text"])):
            assert BLOCKED in body, kind
            assert DLC in body, kind


async def test_a_game_that_works_everywhere_carries_no_warning(app, client, browser_client) -> None:
    slug = await db.fetch_value("SELECT slug FROM product WHERE region = 'Region Free' AND active LIMIT 1")
    page = (await browser_client.get(f"/products/{slug}")).text
    assert 'class="conditions"' not in page
    assert "Region Free" in page


async def test_while_rates_are_stale_pages_say_so_and_no_order_is_taken(client, browser_client) -> None:
    item = await product(client)
    await submit(browser_client, "/cart", {"slug": item["slug"], "quantity": "1"})
    await db.fetch("UPDATE exchange_rate SET day = current_date - 30")
    before = await picture()
    page = await browser_client.get(f"/products/{item['slug']}")
    assert "exchange rates are out of date" in page.text
    assert ">Buy now<" not in page.text
    page = await browser_client.get("/checkout")
    assert page.status_code == 503
    assert "Nothing was ordered or charged" in page.text
    order = {"email": EMAIL, "items": [{"productId": item["productId"], "quantity": 1}]}
    answer = await client.post("/orders", json=order)
    assert (answer.status_code, answer.json()["code"]) == (503, "sales_stopped")
    assert "Nothing was ordered or charged" in answer.json()["detail"]
    assert await count("customer_order") == 0
    assert await picture() == before
