"""A product's page and the covers we draw."""

import pytest

from app.catalog.covers.address import cover_address
from app.core import db
from tests.web.builders import assert_problem, product


async def test_a_product_answers_json_and_html_of_the_same_thing(client, browser_client) -> None:
    item = await product(client)
    said = (await client.get(f"/products/{item['slug']}")).json()
    page = await browser_client.get(f"/products/{item['slug']}")
    assert said.items() >= item.items()
    assert set(said) >= {"description", "genres", "languages", "developers", "activation"}
    assert page.status_code == 200
    assert f"<h1>{item['name']}</h1>" in page.text
    assert f"${item['price']['amount']}" in page.text


async def test_an_unknown_product_is_not_found(client, browser_client) -> None:
    for slug in ("nothing", "%FF", "x" * 3000, "%27%20OR%201=1", "%E2%98%83"):
        assert_problem(await client.get(f"/products/{slug}"), 404, "product_not_found")
        page = await browser_client.get(f"/products/{slug}")
        assert page.status_code == 404
        assert "sell that game" in page.text
        assert 'href="/"' in page.text


@pytest.mark.parametrize("path", ["/products/a%00b", "/covers/%00.svg", "/products/%00"])
async def test_a_nul_in_the_address_is_refused(client, browser_client, path: str) -> None:
    assert_problem(await client.get(path), 400, "unusable_text")
    assert (await browser_client.get(path)).status_code == 400


async def test_a_withdrawn_product_is_not_found(client) -> None:
    slug = (await product(client))["slug"]
    await db.fetch("UPDATE product SET active = false, updated_at = now() WHERE slug = $1", slug)
    assert_problem(await client.get(f"/products/{slug}"), 404, "product_not_found")


async def test_a_sold_out_product_can_be_seen_but_not_put_into_the_cart(client, browser_client) -> None:
    slug = (await product(client))["slug"]
    await db.fetch("UPDATE product SET stock = 0, updated_at = now() WHERE slug = $1", slug)
    page = await browser_client.get(f"/products/{slug}")
    assert "Sold out" in page.text
    assert "Add to cart" not in page.text


async def test_a_cover_is_a_picture_that_browsers_may_keep(client) -> None:
    slug = (await product(client))["slug"]
    name = await db.fetch_value("SELECT name FROM product WHERE slug = $1", slug)
    cover = await client.get(cover_address(slug, name))
    assert cover.status_code == 200
    assert cover.headers["content-type"].startswith("image/svg+xml")
    assert cover.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert cover.text.startswith("<svg")
    assert "<script" not in cover.text


async def test_an_unknown_cover_is_not_found(client) -> None:
    for name in ("nothing.svg", "nothing", ".svg", "x" * 3000):
        answer = await client.get(f"/covers/{name}")
        assert answer.status_code == 404, answer.text


async def test_a_cover_without_its_ending_is_not_found(client) -> None:
    slug = (await product(client))["slug"]
    assert (await client.get(f"/covers/{slug}")).status_code == 404


async def test_hostile_words_of_the_supplier_are_shown_as_text(client, browser_client) -> None:
    slug = (await product(client))["slug"]
    hostile = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
    change = "UPDATE product SET name = $2, description = $2::varchar, updated_at = now() WHERE slug = $1"
    await db.fetch(change, slug, hostile)
    for path in (f"/products/{slug}", "/?sort=name", f"/covers/{slug}.svg"):
        page = await browser_client.get(path)
        assert page.status_code == 200
        assert "<img src=x" not in page.text
        assert "<script>alert" not in page.text
