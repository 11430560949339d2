"""A form that is sent again is answered as before only to who sent it first, and only while that one may still ask."""

import re
from typing import Any

import httpx
import pytest

from app.core import db
from app.merchants import service as merchants
from tests.web.builders import csrf_of, picture, session_of, submit
from tests.web.merchant.conftest import joined
from tests.web.test_sent_twice import checkout, key_of

ANN = "ann@acme.test"
SECRET = re.compile(r"sk_\w+|whsec_\S+|bl_\w+")


async def signed_in(visitor: Any, email: str) -> httpx.AsyncClient:
    browser: httpx.AsyncClient = visitor()
    browser.cookies.set("bitloot_session", await session_of(email), domain="127.0.0.1", path="/")
    return browser


@pytest.fixture
async def new_key(visitor) -> tuple[httpx.AsyncClient, dict[str, str], str]:
    """A browser that has just made an API key, what it sent, and the page that it was shown."""
    merchant = await merchants.create_merchant("Acme")
    await joined(merchant, ANN)
    browser = await signed_in(visitor, ANN)
    page = await browser.get("/merchant/keys")
    sent = {"_csrf_token": csrf_of(page), "_form_key": key_of(page, "/merchant/keys")}
    sent |= {"merchant_context": f"{merchant}.test", "name": "x", "expires": "", "scopes": "orders:read"}
    first = await browser.post("/merchant/keys", data=sent)
    assert first.status_code == 200, first.text
    return browser, sent, first.text


async def test_the_same_browser_is_shown_its_new_api_key_again(new_key) -> None:
    browser, sent, shown = new_key
    again = await browser.post("/merchant/keys", data=sent)
    assert (again.status_code, again.text) == (200, shown)


async def test_after_its_session_was_ended_elsewhere_a_repeat_shows_no_api_key(new_key) -> None:
    browser, sent, shown = new_key
    await db.fetch("UPDATE login_session SET revoked_at = now()")
    before = await picture()
    again = await browser.post("/merchant/keys", data=sent)
    assert again.status_code == 409
    assert "This form was already sent" in again.text
    assert secrets_of(again.text) == set()
    assert secrets_of(shown) != set()
    assert await picture() == before


@pytest.mark.parametrize("who", ["nobody", "bob@acme.test", ANN])
async def test_another_session_is_shown_no_api_key_by_a_repeat(visitor, new_key, who) -> None:
    """Also one of the same person: what was shown once was shown in one place."""
    browser, sent, _ = new_key
    other = visitor() if who == "nobody" else await signed_in(visitor, who)
    other.cookies.set("bitloot_csrf", browser.cookies["bitloot_csrf"], domain="127.0.0.1", path="/")
    again = await other.post("/merchant/keys", data=sent)
    assert again.status_code == 409
    assert secrets_of(again.text) == set()


async def test_a_guests_orders_cookie_of_before_signing_out_gets_no_answer_again(visitor) -> None:
    """Placed in a browser that had an order: after signing out, a repeat leads on and brings no cookie."""
    browser = visitor()
    await submit(browser, "/cart", {"slug": await _slug(), "quantity": "1"})
    await submit(browser, "/orders", {"email": "guest@bitloot.test"})
    sent = await checkout(browser)
    cookies = dict(browser.cookies)
    first = await browser.post("/orders", data=sent)
    await submit(browser, "/logout")
    again = await visitor().post("/orders", data=sent, cookies=cookies)
    assert (again.status_code, again.headers["location"]) == (303, first.headers["location"])
    assert again.headers.get_list("set-cookie") == []


async def test_whoever_holds_the_fresh_cookie_already_is_led_to_the_order(visitor) -> None:
    browser = visitor()
    sent = await checkout(browser)
    first = await browser.post("/orders", data=sent)
    again = await browser.post("/orders", data=sent)
    assert (again.status_code, again.headers["location"]) == (303, first.headers["location"])
    assert (await browser.get(again.headers["location"])).status_code == 200
    assert await db.fetch_value("SELECT count(*) FROM customer_order") == 1


def secrets_of(page: str) -> set[str]:
    return set(SECRET.findall(page))


async def _slug() -> str:
    return str(await db.fetch_value("SELECT slug FROM product WHERE active AND stock > 3 ORDER BY slug LIMIT 1"))
