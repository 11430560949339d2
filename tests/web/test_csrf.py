"""CSRF tokens guard what rides on cookies; who brings a proof of his own needs none."""

import os

import pytest

from tests.web.builders import EMAIL, LOG, assert_problem, csrf_of, logged, picture, product, session_of, submit

JSON = "application/json"


@pytest.fixture
async def browser(visitor, ready, client):
    """The owner's browser, with a game in the cart and access to an order."""
    made = visitor()
    await submit(made, "/cart", {"slug": (await product(client))["slug"], "quantity": "1"})
    made.cookies.set("bitloot_orders", ready.token)
    return made


def forms(ready) -> dict[str, dict[str, str]]:
    return {
        "/cart": {"slug": "any"},
        "/cart/any": {"quantity": "1"},
        "/orders": {"email": EMAIL, "pay_currency": "btc"},
        f"/orders/{ready.id}/cancellations": {},
        f"/fulfillment/{ready.id}/reveal": {"item_id": ready.item_id},
        "/payments/create": {"orderId": ready.id},
        "/login": {"email": EMAIL},
        "/logout": {},
        "/orders/lookup": {"email": EMAIL},
        "/links/any": {},
        "/admin/login": {"email": EMAIL, "password": "x"},
        "/admin/logout": {},
        "/admin/jobs/any/retries": {},
        "/admin/orders/any/items/any/retries": {},
    }


def wrong_tokens(browser, foreign: str) -> dict[str, dict[str, str]]:
    own = browser.cookies["bitloot_csrf"]
    bent = own[:-1] + ("0" if own[-1] != "0" else "1")
    texts = {
        "none": None,
        "empty": "",
        "foreign": foreign,
        "bent": bent,
        "cut": own[:64],
        "twice": own * 2,
        "text": "x",
    }
    return {name: {} if text is None else {"_csrf_token": text} for name, text in texts.items()}


async def test_a_form_without_the_right_token_is_refused_and_changes_nothing(browser, visitor, ready) -> None:
    foreign = csrf_of(await visitor().get("/login"))
    before = await picture()
    for path, fields in forms(ready).items():
        for name, token in wrong_tokens(browser, foreign).items():
            answer = await browser.post(path, data=fields | token)
            assert answer.status_code == 403, (path, name)
            assert "This form has expired" in answer.text
            assert "content-security-policy" in answer.headers
            assert "set-cookie" not in answer.headers, (path, name)
    assert await picture() == before


async def test_a_token_without_its_cookie_is_refused(browser, ready) -> None:
    token = browser.cookies["bitloot_csrf"]
    del browser.cookies["bitloot_csrf"]
    before = await picture()
    for path, fields in forms(ready).items():
        assert (await browser.post(path, data=fields | {"_csrf_token": token})).status_code == 403, path
    assert await picture() == before


async def test_with_cookies_blocked_every_form_says_that_cookies_are_needed_and_changes_nothing(
    browser, visitor, ready
) -> None:
    token = browser.cookies["bitloot_csrf"]
    blocked = visitor()
    before = await picture()
    for path, fields in forms(ready).items():
        answer = await blocked.post(path, data=fields | {"_csrf_token": token})
        assert answer.status_code == 403, path
        assert "This needs cookies" in answer.text
        assert "Allow them for this site" in answer.text
        assert "expired" not in answer.text
        blocked.cookies.clear()
    as_json = await blocked.post("/login", data={"email": EMAIL}, headers={"accept": JSON})
    assert_problem(as_json, 403, "cookies_needed")
    part = await blocked.post("/cart/any", data={"quantity": "1"}, headers={"hx-request": "true"})
    assert "This needs cookies" in part.text
    assert "<html" not in part.text
    assert await picture() == before


async def test_a_refused_form_leads_back_to_its_own_page_and_nowhere_else(visitor) -> None:
    host = "http://127.0.0.1:" + os.environ["PORT"]
    for referer, href in (
        (f"{host}/checkout?discount_code=A", "/checkout?discount_code=A"),
        ("https://evil.test/checkout", "/"),
        (f"{host}//evil.test/", "/"),
        ("http://[", "/"),
        ("", "/"),
    ):
        answer = await visitor().post("/orders", data={"email": EMAIL}, headers={"referer": referer})
        assert f'<a class="button button-primary" href="{href}">Reload the page</a>' in answer.text, referer


async def test_a_cookie_that_we_no_longer_sign_is_replaced_so_that_forms_work_again(visitor) -> None:
    browser = visitor()
    old = "0" * 128  # as signed with a JWT_SECRET of before
    page = await browser.get("/login", headers={"cookie": f"bitloot_csrf={old}"})
    assert csrf_of(page) != old
    assert f"bitloot_csrf={csrf_of(page)}" in page.headers["set-cookie"]
    sent = await browser.post("/login", data={"_csrf_token": csrf_of(page), "email": EMAIL})
    assert "Check your inbox" in sent.text


async def test_json_that_rides_on_cookies_needs_the_token(browser, ready, client) -> None:
    order = {"email": EMAIL, "items": [{"productId": (await product(client))["productId"], "quantity": 1}]}
    asked = {"/orders": order, f"/fulfillment/{ready.id}/reveal": {"itemId": ready.item_id}}
    asked["/payments/create"] = {"orderId": ready.id}
    before = await picture()
    for path, body in asked.items():
        refused = await browser.post(path, json=body, headers={"accept": JSON})
        assert_problem(refused, 403, "form_expired")
    assert await picture() == before
    token = {"x-csrf-token": browser.cookies["bitloot_csrf"], "accept": JSON}
    assert (await browser.post("/orders", json=order, headers=token)).status_code == 201


async def test_json_on_a_session_cookie_needs_the_token_too(visitor, ready) -> None:
    browser = visitor(JSON)
    browser.cookies.set("bitloot_session", await session_of(ready.email))
    before = await picture()
    answer = await browser.post(f"/fulfillment/{ready.id}/reveal", json={"itemId": ready.item_id})
    assert_problem(answer, 403, "form_expired")
    assert await picture() == before


async def test_json_with_a_bearer_token_needs_none_even_beside_cookies(browser, ready) -> None:
    path, body = f"/fulfillment/{ready.id}/reveal", {"itemId": ready.item_id}
    answer = await browser.post(path, json=body, headers={"accept": JSON, **ready.bearer})
    assert answer.status_code == 200
    assert await logged() == ["key.revealed"]


async def test_a_bad_bearer_token_does_not_borrow_the_cookies_rights(browser, ready) -> None:
    before = await picture(but=LOG)
    headers = {"accept": JSON, "authorization": "Bearer nothing"}
    for body in ({"json": {"itemId": ready.item_id}}, {"data": {"item_id": ready.item_id}}):
        answer = await browser.post(f"/fulfillment/{ready.id}/reveal", headers=headers, **body)
        assert_problem(answer, 404, "order_not_found")
    assert await picture(but=LOG) == before
    assert await logged() == ["order.denied"] * 2


async def test_json_without_our_cookies_needs_no_token(visitor, client) -> None:
    order = {"email": EMAIL, "items": [{"productId": (await product(client))["productId"], "quantity": 1}]}
    assert (await visitor(JSON).post("/orders", json=order)).status_code == 201


@pytest.mark.parametrize("kind", ["text/plain", "application/json-not", "", "application/x-www-form-urlencoded"])
async def test_what_a_foreign_page_can_send_unasked_is_refused(browser, ready, kind: str) -> None:
    """A foreign page may post these types with our cookies, without a question before (Fetch, CORS-safelisted)."""
    before = await picture()
    body = f'{{"itemId": "{ready.item_id}"}}'
    answer = await browser.post(f"/fulfillment/{ready.id}/reveal", content=body, headers={"content-type": kind})
    assert answer.status_code == 403
    assert await picture() == before


async def test_the_token_cookie_can_not_be_read_by_scripts(browser_client) -> None:
    page = await browser_client.get("/")
    cookie = page.headers["set-cookie"].lower()
    assert cookie.startswith("bitloot_csrf=")
    assert {"httponly", "samesite=lax"} <= {part.strip() for part in cookie.split(";")}
