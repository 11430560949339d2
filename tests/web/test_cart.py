"""The cart: ids and quantities in a cookie, prices from our tables."""

from decimal import Decimal

from app.core import db
from tests.web.builders import csrf_of, product, submit


async def put(browser, slug: str, quantity: object = 1, **more: str):
    return await submit(browser, "/cart", {"slug": slug, "quantity": str(quantity), **more})


def lines_of(page) -> int:
    return page.text.count('<li class="line"')


async def test_an_empty_cart_leads_back_to_the_shop(browser_client) -> None:
    page = await browser_client.get("/cart")
    assert page.status_code == 200
    assert "Your cart is empty" in page.text
    gone = await browser_client.get("/checkout")
    assert (gone.status_code, gone.headers["location"]) == (303, "/cart")


async def test_a_game_goes_into_the_cart_without_javascript(client, browser_client) -> None:
    item = await product(client)
    page = await browser_client.get(f"/products/{item['slug']}")
    fields = {"_csrf_token": csrf_of(page), "slug": item["slug"], "quantity": "2"}
    answer = await browser_client.post("/cart", data=fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cart")
    assert "httponly" in answer.headers["set-cookie"].lower()
    cart = await browser_client.get("/cart")
    assert lines_of(cart) == 1
    assert f"${Decimal(item['price']['amount']) * 2:.2f}" in cart.text
    assert 'data-count="2"' in cart.text


async def test_buy_now_sets_the_quantity_and_goes_to_the_checkout(client, browser_client) -> None:
    slug = (await product(client))["slug"]
    await put(browser_client, slug, 2)
    answer = await put(browser_client, slug, 1, then="checkout")
    assert (answer.status_code, answer.headers["location"]) == (303, "/checkout")
    assert 'data-count="1"' in (await browser_client.get("/checkout")).text


async def test_quantities_add_up_to_at_most_nine(client, browser_client) -> None:
    slug = (await product(client))["slug"]
    await put(browser_client, slug, 5)
    await put(browser_client, slug, 7)
    assert 'data-count="9"' in (await browser_client.get("/cart")).text


async def test_a_quantity_that_makes_no_sense_counts_as_one(client, visitor) -> None:
    slug = (await product(client))["slug"]
    for quantity in ("0", "-1", "1.5", "ten", "", "1000000000", "٣", "9" * 5000, "\x00"):
        browser = visitor()
        assert (await put(browser, slug, quantity)).status_code == 303
        assert 'data-count="1"' in (await browser.get("/cart")).text, quantity[:40]


async def test_an_unknown_game_is_refused(browser_client) -> None:
    for slug, status in (("nothing", 404), ("", 404), ("x" * 5000, 404), ("a\x00b", 400)):
        assert (await put(browser_client, slug)).status_code == status, slug[:40]
        assert "bitloot_cart" not in browser_client.cookies


async def test_a_line_is_changed_and_taken_out(client, browser_client) -> None:
    slug = (await product(client))["slug"]
    await put(browser_client, slug)
    changed = await submit(browser_client, f"/cart/{slug}", {"quantity": "3"})
    assert (changed.status_code, changed.headers["location"]) == (303, "/cart")
    assert 'data-count="3"' in (await browser_client.get("/cart")).text
    await submit(browser_client, f"/cart/{slug}", {"quantity": "0"})
    assert lines_of(await browser_client.get("/cart")) == 0


async def test_htmx_gets_the_changed_cart_alone(client, browser_client) -> None:
    slug = (await product(client))["slug"]
    await put(browser_client, slug)
    part = await submit(browser_client, f"/cart/{slug}", {"quantity": "2"}, **{"hx-request": "true"})
    assert part.status_code == 200
    assert "<html" not in part.text
    assert 'data-cart-count="2"' in part.text


async def test_the_place_of_a_line_stays_when_it_is_changed(client, browser_client) -> None:
    slugs = [item["slug"] for item in (await client.get("/")).json()["items"] if item["stock"] > 3][:3]
    for slug in slugs:
        await put(browser_client, slug)
    await submit(browser_client, f"/cart/{slugs[1]}", {"quantity": "2"})
    page = (await browser_client.get("/cart")).text
    places = [page.index(f'id="line-{slug}"') for slug in slugs]
    assert places == sorted(places)


async def test_more_than_ten_different_games_do_not_fit(client, browser_client) -> None:
    slugs = [item["slug"] for item in (await client.get("/")).json()["items"]][:12]
    answers = [await put(browser_client, slug) for slug in slugs]
    assert [answer.status_code for answer in answers] == [303] * 10 + [409] * 2
    assert "Order these first, or remove one" in answers[-1].text
    assert lines_of(await browser_client.get("/cart")) == 10


GOOD = "0" * 32
TAMPERED = [
    "", ".", "~", "....~~~~", "not-an-id~1", f"{GOOD}~", f"{GOOD}~-1", f"{GOOD}~0", f"{GOOD}~10", f"{GOOD}~1.5",
    f"{GOOD}~" + "1" * 5000, f"{GOOD}~%31", ".".join(f"{i:032x}~1" for i in range(200)), "x" * 8000, "{}", "null",
]  # fmt: skip


async def test_a_tampered_cookie_is_an_empty_cart_and_no_error(visitor) -> None:
    for value in TAMPERED:
        browser = visitor(cookie=f"bitloot_cart={value}")
        cart = await browser.get("/cart")
        assert (cart.status_code, lines_of(cart)) == (200, 0), value[:40]
        assert (await browser.get("/")).status_code == 200, value[:40]
        checkout = await browser.get("/checkout")
        assert (checkout.status_code, checkout.headers["location"]) == (303, "/cart"), value[:40]


async def test_games_that_are_not_sold_any_more_are_said_and_left_out(visitor) -> None:
    cart = await visitor().get("/cart", headers={"cookie": f"bitloot_cart={GOOD}~1"})
    assert lines_of(cart) == 0
    assert "Your cart is empty" in cart.text


async def test_less_stock_than_wanted_is_said_in_the_cart(client, browser_client) -> None:
    item = await product(client)
    await put(browser_client, item["slug"], 3)
    await db.fetch("UPDATE product SET stock = 2, updated_at = now() WHERE slug = $1", item["slug"])
    assert f"{item['name']}: only 2 left" in (await browser_client.get("/cart")).text
