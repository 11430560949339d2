"""The checkout form, and the order it becomes: prices are ours, what was typed stays, faults stand by their field."""

import re

import pytest

from app.catalog import service as catalog
from app.core import db
from app.core.money import Money
from tests.web.builders import EMAIL, count, csrf_of, picture, product, submit


@pytest.fixture
async def shopper(client, browser_client):
    """A browser with one game in its cart."""
    item = await product(client)
    await submit(browser_client, "/cart", {"slug": item["slug"], "quantity": "1"})
    browser_client.headers["x-price"] = item["price"]["amount"]
    return browser_client


def total_of(page) -> str:
    """The total that a page shows, without its sign."""
    found = re.search(r'class="sums-total"[^>]*><dt>Total</dt><dd[^>]*>\$([\d.,]+)<', page.text)
    assert found is not None, page.text
    return found[1]


async def test_the_form_shows_the_cart_its_total_and_the_coins(shopper) -> None:
    page = await shopper.get("/checkout")
    assert page.status_code == 200
    assert total_of(page) == shopper.headers["x-price"]
    assert page.text.count('type="radio" name="pay_currency"') == await db.fetch_value(
        "SELECT count(*) FROM coin WHERE active"
    )


async def test_an_order_by_form_without_javascript_ends_on_its_page(shopper) -> None:
    token = csrf_of(await shopper.get("/checkout"))
    fields = {"_csrf_token": token, "email": EMAIL, "pay_currency": "btc", "discount_code": ""}
    placed = await shopper.post("/orders", data=fields)
    assert placed.status_code == 303
    cookie = next(c for c in placed.headers.get_list("set-cookie") if c.startswith("bitloot_orders="))
    assert {"httponly", "samesite=lax", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
    page = await shopper.get(placed.headers["location"])
    assert page.status_code == 200
    assert '<noscript><meta http-equiv="refresh"' in page.text
    assert total_of(page) == shopper.headers["x-price"]
    assert await count("customer_order") == 1
    assert 'data-count="0"' in (await shopper.get("/")).text


@pytest.mark.parametrize(("email", "says"), [
    ("", "Enter your email address."),
    ("nobody", "Enter an email address like name@example.com."),
    ("a@b@c.de", "Enter an email address like name@example.com."),
    ("x" * 300 + "@example.com", "at most 254 characters"),
    ("a@example.com\nbcc: b@example.com", "at most 254 characters"),
])  # fmt: skip
async def test_a_bad_email_is_said_beside_its_field(shopper, email: str, says: str) -> None:
    before = await picture()
    page = await submit(shopper, "/orders", {"email": email, "pay_currency": "ltc", "discount_code": ""})
    assert page.status_code == 400
    assert says in page.text.split('id="email-error"')[1][:2000]
    assert page.text.count('aria-invalid="true"') == 1
    assert re.search(r'value="ltc"\s+checked', page.text)
    assert await picture() == before


async def test_what_was_typed_is_kept_and_shown_as_text(shopper) -> None:
    hostile = '"><script>alert(1)</script>'
    fields = {"email": hostile, "pay_currency": "btc", "discount_code": hostile}
    page = await submit(shopper, "/orders", fields)
    assert page.status_code == 400
    assert "<script>alert" not in page.text
    assert page.text.count("&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;") >= 2


@pytest.mark.parametrize(("field", "value"), [("discount_code", "NOTHING"), ("pay_currency", "dogwifhat")])
async def test_a_code_or_coin_that_is_not_ours_is_said_beside_its_field(shopper, field: str, value: str) -> None:
    before = await picture()
    fields = {"email": EMAIL, "pay_currency": "btc", "discount_code": ""} | {field: value}
    page = await submit(shopper, "/orders", fields)
    assert page.status_code == 400
    assert f'id="{field}-error"' in page.text
    assert f'value="{EMAIL}"' in page.text
    assert await picture() == before


@pytest.mark.parametrize("field", ["email", "pay_currency", "discount_code"])
async def test_a_nul_in_a_field_is_a_clear_answer(shopper, field: str) -> None:
    before = await picture()
    fields = {"email": EMAIL, "pay_currency": "btc", "discount_code": ""} | {field: "a\x00b"}
    assert (await submit(shopper, "/orders", fields)).status_code == 400
    assert await picture() == before


async def test_a_discount_comes_off_and_is_counted_once(shopper) -> None:
    await catalog.create_discount("TENOFF", 10)
    price = Money(await db.fetch_value("SELECT $1::text::numeric", shopper.headers["x-price"]), "USD")
    page = await shopper.get("/checkout?discount_code=tenoff")
    assert total_of(page) == f"{(price - price.percent(10)).amount}"
    await submit(shopper, "/orders", {"email": EMAIL, "pay_currency": "btc", "discount_code": "tenoff"})
    assert await db.fetch_value("SELECT total FROM customer_order") == (price - price.percent(10)).amount
    assert await db.fetch_value("SELECT used FROM discount") == 1


async def test_prices_and_sums_in_the_form_change_nothing(shopper) -> None:
    tampered = {"price": "0.01", "total": "0.01", "unit_price": "0.01", "discount": "99", "quantity": "9"}
    fields = {"email": EMAIL, "pay_currency": "btc", "discount_code": "", **tampered}
    assert (await submit(shopper, "/orders", fields)).status_code == 303
    row = await db.fetch_one("SELECT total::text, subtotal::text, discount::text FROM customer_order")
    assert tuple(row) == (shopper.headers["x-price"], shopper.headers["x-price"], "0.00")
    assert await db.fetch_value("SELECT quantity FROM order_item") == 1


async def test_an_order_with_an_empty_cart_leads_to_the_cart(browser_client) -> None:
    before = await picture()
    answer = await submit(browser_client, "/orders", {"email": EMAIL})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cart")
    assert await picture() == before


async def test_a_game_that_sold_out_meanwhile_is_said_and_nothing_is_ordered(shopper) -> None:
    await db.fetch("UPDATE product SET stock = 0, updated_at = now()")
    before = await picture()
    answer = await submit(shopper, "/orders", {"email": EMAIL, "pay_currency": "btc", "discount_code": ""})
    assert (answer.status_code, answer.headers["location"]) == (303, "/cart")
    page = await shopper.get("/cart")
    assert "sold out" in page.text
    assert await picture() == before


HINTS = (
    ("a@gmial.com", "a@gmail.com"), ("A@Hotmial.com", "a@hotmail.com"), ("a@gmail.com", None), ("a@my-own.org", None),
    ("", None), ("gmail.com", None), ("@gmial.com", None), ("a@" + "x" * 5000, None),
)  # fmt: skip


async def test_the_hint_names_the_domain_that_was_meant(browser_client) -> None:
    for email, meant in HINTS:
        part = await browser_client.get("/checkout/email-hint", params={"email": email})
        assert part.status_code == 200
        assert "<html" not in part.text
        assert ("Did you mean" in part.text) == (meant is not None), email
        assert meant is None or meant in part.text


async def test_the_hint_is_also_on_the_form_that_comes_back(shopper) -> None:
    fields = {"email": "a@gmial.com", "pay_currency": "nothing", "discount_code": ""}
    page = await submit(shopper, "/orders", fields)
    assert "a@gmail.com" in page.text
