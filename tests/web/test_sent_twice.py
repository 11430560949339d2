"""A form that is sent twice takes effect once, and both answers lead to the same place."""

import asyncio
import re
from decimal import Decimal

import httpx

from app.catalog import service as catalog
from app.core import db
from app.core.tokens import link_token
from app.forms import service as forms
from tests.web.builders import count, csrf_of, place, product, submit

EMAIL = "delivered+twice@resend.dev"


def key_of(page: httpx.Response, action: str) -> str:
    """The key of the form with this action."""
    after = page.text.partition(f'action="{action}"')[2]
    form = re.search(r'name="_form_key" value="([^"]+)"', after)
    assert form is not None, page.text[:500]
    return form[1]


async def form(browser: httpx.AsyncClient, path: str, action: str, **fields: str) -> dict[str, str]:
    """What a browser would post of the form on a page."""
    page = await browser.get(path)
    return {"_csrf_token": csrf_of(page), "_form_key": key_of(page, action)} | fields


async def checkout(browser: httpx.AsyncClient, **fields: str) -> dict[str, str]:
    await submit(browser, "/cart", {"slug": (await product(browser))["slug"], "quantity": "1"})
    return await form(browser, "/checkout", "/orders", email=EMAIL, pay_currency="btc", discount_code="", **fields)


async def test_a_double_click_on_place_order_makes_one_order_and_one_letter(visitor) -> None:
    browser = visitor()
    sent = await checkout(browser)
    cookies = dict(browser.cookies)
    first, second = await asyncio.gather(*(browser.post("/orders", data=sent, cookies=cookies) for _ in range(2)))
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert await count("customer_order") == 1
    assert await count("mail") == 1
    assert await db.fetch_value("SELECT count(*) FROM job WHERE name = 'payments.create'") == 1


async def test_the_second_answer_opens_the_order_too_for_the_browser_shows_only_that_one(visitor) -> None:
    browser = visitor()
    sent = await checkout(browser)
    cookies = dict(browser.cookies)
    await browser.post("/orders", data=sent, cookies=cookies)
    other = visitor()
    second = await other.post("/orders", data=sent, cookies=cookies)
    assert "bitloot_orders=" in str(second.headers.get_list("set-cookie"))
    page = await other.get(second.headers["location"])
    assert page.status_code == 200
    assert "Preparing your payment" in page.text


async def test_a_corrected_form_is_sent_anew_after_its_fault_was_shown(visitor) -> None:
    browser = visitor()
    sent = await checkout(browser)
    wrong = await browser.post("/orders", data=sent | {"email": "nobody"})
    assert wrong.status_code == 400
    assert await count("customer_order") == 0
    right = await browser.post("/orders", data=sent)
    assert right.status_code == 303
    assert await count("customer_order") == 1


async def test_what_was_refused_may_be_sent_again_as_it_was(visitor) -> None:
    browser = visitor()
    sent = await checkout(browser) | {"discount_code": "SOON"}
    assert (await browser.post("/orders", data=sent)).status_code == 400
    assert await count("customer_order") == 0
    assert await count("form_submission") == 0
    await catalog.create_discount("SOON", Decimal(10))
    assert (await browser.post("/orders", data=sent)).status_code == 303
    assert await count("customer_order") == 1


async def test_another_order_from_the_same_page_with_another_email_is_another_order(visitor) -> None:
    browser = visitor()
    sent = await checkout(browser)
    cookies = dict(browser.cookies)
    await browser.post("/orders", data=sent, cookies=cookies)
    await visitor().post("/orders", data=sent | {"email": "delivered+other@resend.dev"}, cookies=cookies)
    assert await count("customer_order") == 2


async def test_a_sign_in_link_is_mailed_once(visitor) -> None:
    browser = visitor()
    sent = await form(browser, "/login", "/login", email=EMAIL)
    pages = await asyncio.gather(*(browser.post("/login", data=sent) for _ in range(3)))
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert all("Check your inbox" in page.text for page in pages)
    assert await count("mail") == 1


async def test_a_mailed_links_button_pressed_twice_signs_in(visitor) -> None:
    browser = visitor()
    await submit(browser, "/login", {"email": EMAIL})
    link_id = await db.fetch_value("SELECT id FROM link")
    path = f"/links/{link_token(link_id)}"
    sent = await form(browser, path, path)
    first = await browser.post(path, data=sent)
    second = await visitor().post(path, data=sent, cookies={"bitloot_csrf": browser.cookies["bitloot_csrf"]})
    assert (first.status_code, second.status_code) == (303, 303)
    assert "bitloot_session=" in str(second.headers.get_list("set-cookie"))


async def test_minutes_later_a_repeat_leads_on_but_signs_nobody_in(visitor) -> None:
    browser = visitor()
    await submit(browser, "/login", {"email": EMAIL})
    path = f"/links/{link_token(await db.fetch_value('SELECT id FROM link'))}"
    sent = await form(browser, path, path)
    await browser.post(path, data=sent)
    await db.fetch("UPDATE form_submission SET answered_at = now() - interval '3 minutes'")
    late = await visitor().post(path, data=sent, cookies={"bitloot_csrf": browser.cookies["bitloot_csrf"]})
    assert (late.status_code, late.headers["location"]) == (303, "/orders")
    assert late.headers.get_list("set-cookie") == []


async def test_a_cancellation_pressed_twice_is_no_error(visitor, client) -> None:
    bought = await place(client)
    browser = visitor()
    browser.cookies.set("bitloot_orders", bought.token, domain="127.0.0.1", path="/")
    action = f"/orders/{bought.id}/cancellations"
    sent = await form(browser, f"/orders/{bought.id}", action)
    answers = await asyncio.gather(*(browser.post(action, data=sent) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [303, 303]
    events = await db.fetch_value("SELECT count(*) FROM event WHERE kind = 'order.cancelled'")
    assert events == 1


async def test_where_the_first_answer_is_lost_a_repeat_says_so_and_changes_nothing(visitor) -> None:
    browser = visitor()
    sent = await checkout(browser)
    fields = [(name, value) for name, value in sent.items() if name not in {"_csrf_token", "_form_key"}]
    submission = forms.submission_id(sent["_form_key"], "/orders", fields)
    await forms.claim(submission)
    await forms.finish(submission, "a key of before JWT_SECRET was changed", forms.Answer(303, [], b""))
    answer = await browser.post("/orders", data=sent)
    assert answer.status_code == 409
    assert "This form was already sent" in answer.text
    assert await count("customer_order") == 0
