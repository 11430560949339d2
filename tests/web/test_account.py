"""Signing in and finding orders by a mailed link, which only a POST uses up."""

import asyncio
import re
from urllib.parse import urlsplit

import pytest

from app.core import clock, db
from app.mail import service as mail
from tests.statements import statements_of
from tests.web.builders import EMAIL, assert_problem, count, csrf_of, minutes, picture, place, submit

JSON = {"accept": "application/json"}


async def links_to(box, email: str) -> list[str]:
    """The paths of the links in the letters to an address, the newest first."""
    letters = [mail for mail in await box.mail() if email in mail["to"]]
    found = [re.search(r"http://\S+/links/[A-Za-z0-9_-]+", mail["text"]) for mail in letters]
    return [urlsplit(match[0]).path for match in found if match]


async def ask(browser, door: str, email: str):
    page = await submit(browser, door, {"email": email})
    assert page.status_code == 200, page.text
    return page


def without_token(text: str) -> str:
    return re.sub(r"[0-9a-f]{128}", "", text)


async def test_the_login_answers_the_same_for_known_and_unknown_addresses(client, visitor) -> None:
    await place(client, email=EMAIL)
    known, unknown = await ask(visitor(), "/login", EMAIL), await ask(visitor(), "/login", "nobody@else.test")
    assert without_token(known.text) == without_token(unknown.text)
    assert "If we know this address" in known.text
    said = [await client.post("/login", json={"email": email}) for email in (EMAIL, "nobody@else.test")]
    assert [(answer.status_code, answer.json()) for answer in said] == [(202, {"sent": True})] * 2


async def test_the_mailed_link_signs_in_once(client, browser_client, drain, box) -> None:
    await place(client, email=EMAIL)
    await ask(browser_client, "/login", EMAIL)
    await drain()
    path = (await links_to(box, EMAIL))[0]
    page = await browser_client.get(path)
    assert page.status_code == 200
    assert "Sign in" in page.text
    fields = {"_csrf_token": csrf_of(page)}
    used = await browser_client.post(path, data=fields)
    assert (used.status_code, used.headers["location"]) == (303, "/orders")
    assert "httponly" in used.headers["set-cookie"].lower()
    orders = await browser_client.get("/orders")
    assert EMAIL in orders.text
    assert orders.text.count('class="row-link') == 1
    again = await browser_client.post(path, data=fields)
    assert again.status_code == 410
    assert "This link no longer works" in again.text


async def test_an_orders_link_opens_the_order_again_in_the_browser_that_used_it_and_nowhere_else(
    client, visitor, drain, box
) -> None:
    placed = await place(client, email=EMAIL)
    await drain()
    path, browser = (await links_to(box, EMAIL))[0], visitor()
    assert (await submit(browser, path)).status_code == 303
    again = await browser.get(path)
    assert (again.status_code, again.headers["location"]) == (303, f"/orders/{placed.id}")
    assert (await visitor().get(path)).status_code == 410


async def test_looking_at_a_link_uses_nothing_up(client, visitor, drain, box) -> None:
    await ask(visitor(), "/login", EMAIL)
    await drain()
    [path] = await links_to(box, EMAIL)
    before = await picture()
    scanner = visitor()
    for method in ("GET", "HEAD", "GET", "OPTIONS", "GET"):
        answer = await scanner.request(method, path)
        assert "bitloot_session" not in answer.headers.get("set-cookie", "")
    assert await picture() == before
    assert (await submit(visitor(), path)).status_code == 303


async def test_two_presses_at_once_sign_in_one_of_them(client, visitor, drain, box) -> None:
    await ask(visitor(), "/login", EMAIL)
    await drain()
    [path] = await links_to(box, EMAIL)
    presses = (visitor("application/json").post(path, json={}) for _ in range(8))
    answers = sorted(await asyncio.gather(*presses), key=lambda answer: answer.status_code)
    assert [answer.status_code for answer in answers] == [200] + [410] * 7
    assert_problem(answers[1], 410, "link_spent")


async def test_a_login_link_ends_after_twenty_minutes(client, visitor, drain, box) -> None:
    await ask(visitor(), "/login", EMAIL)
    await drain()
    [path] = await links_to(box, EMAIL)
    before = await picture()
    with minutes(20.1):
        assert (await visitor().get(path)).status_code == 410
        assert (await submit(visitor(), path)).status_code == 410
    assert await picture() == before
    with minutes(19):
        assert (await visitor().get(path)).status_code == 200


BENDS = (
    lambda t: t[:-1], lambda t: t[:-4] + "AAAA", lambda t: "A" * len(t), lambda t: t + "A", lambda _: "x",
    lambda _: "%00", lambda _: "%C3%A9", lambda _: "x" * 3000,
)  # fmt: skip


async def test_a_forged_link_opens_nothing(visitor, drain, box) -> None:
    await ask(visitor(), "/login", EMAIL)
    await drain()
    [path] = await links_to(box, EMAIL)
    before, browser = await picture(), visitor()
    for bend in BENDS:
        forged = "/links/" + bend(path.removeprefix("/links/"))
        assert (await browser.get(forged)).status_code == 410, forged
        answer = await submit(browser, forged)
        assert answer.status_code == 410, forged
        assert "set-cookie" not in answer.headers
    assert await picture() == before


async def test_an_orders_link_opens_that_order_in_another_browser(client, visitor, drain, box) -> None:
    order, other = await place(client, email=EMAIL), await place(client, email=EMAIL)
    await drain()
    first, second = reversed(await links_to(box, EMAIL))
    phone = visitor()
    page = await phone.get(first)
    assert "Open my order" in page.text
    used = await phone.post(first, data={"_csrf_token": csrf_of(page)})
    opened = used.headers["location"].removeprefix("/orders/")
    assert opened in {order.id, other.id}
    unopened = ({order.id, other.id} - {opened}).pop()
    assert (await phone.get(f"/orders/{opened}")).status_code == 200
    assert (await phone.get(f"/orders/{unopened}")).status_code == 404
    assert (await phone.get(second)).status_code == 200


async def test_who_holds_the_order_already_is_led_on_and_keeps_the_link(client, visitor, drain, box) -> None:
    order = await place(client, email=EMAIL)
    await drain()
    [path] = await links_to(box, EMAIL)
    browser = visitor(**order.bearer)
    before = await picture()
    answer = await browser.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/orders/{order.id}")
    assert await picture() == before


def rows_of(state: str) -> int:
    return int(state.partition(" ")[0])


async def test_a_lookup_does_the_same_work_for_an_unknown_address_and_mails_only_if_there_are_orders(
    client, visitor, drain, box
) -> None:
    await place(client, email=EMAIL)
    sizes, pages = [], []
    for email in ("nobody@else.test", EMAIL):
        before = await picture()
        pages.append(await ask(visitor(), "/orders/lookup", email))
        after = await picture()
        changed = [name for name in after if after[name] != before[name]]
        sizes.append({name: rows_of(after[name]) - rows_of(before[name]) for name in changed})
    assert sizes == [{"link": 1, "job": 1}] * 2, "neither rows nor statements tell who has orders"
    assert without_token(pages[0].text) == without_token(pages[1].text)
    assert await count("mail") == 1
    await drain(only="orders.mail_lookup")
    assert await db.fetch_value("SELECT count(*) FROM mail WHERE kind = 'lookup_link'") == 1
    await drain()
    browser, path = visitor(), (await links_to(box, EMAIL))[0]
    assert (await submit(browser, path)).headers["location"] == "/orders"
    assert (await browser.get("/orders", headers=JSON)).json()["items"][0]["status"] == "waiting"


@pytest.mark.parametrize("door", ["/login", "/orders/lookup"])
async def test_a_known_address_costs_the_same_statements_as_an_unknown_one(client, door: str) -> None:
    await place(client, email=EMAIL)
    said: dict[str, list[str]] = {}
    for email in ("warms@up.test", EMAIL, "nobody@else.test"):
        said[email] = await statements_of(lambda email=email: client.post(door, json={"email": email}))
    assert said[EMAIL] == said["nobody@else.test"]
    assert len(said[EMAIL]) >= 3, said[EMAIL]
    assert not any("customer_order" in sql for sql in said[EMAIL]), "who has orders is looked at by a job"


@pytest.mark.parametrize("door", ["/login", "/orders/lookup"])
async def test_with_the_mail_quota_used_up_the_page_says_so_and_not_that_we_wrote(
    visitor, drain, box, door: str
) -> None:
    await box.fault("resend", "quota", count=1)
    await mail.write("key_ready", EMAIL, {"order_short_id": "AB12CD34"})
    await drain()
    page = await ask(visitor(), door, EMAIL)
    assert "We can’t send mail right now" in page.text
    assert "Try again in an hour" in page.text
    assert "Check your inbox" not in page.text
    assert (await visitor("application/json").post(door, json={"email": EMAIL})).json() == {"sent": False}
    await drain(later=True)
    assert "Check your inbox" in (await ask(visitor(), door, EMAIL)).text


async def test_a_link_that_was_looked_up_late_works_for_its_whole_time(client, visitor, drain, box) -> None:
    await place(client, email=EMAIL)
    await ask(visitor(), "/orders/lookup", EMAIL)
    with clock.travelled(clock.timedelta(hours=2)):
        await drain()
        path = (await links_to(box, EMAIL))[0]
        assert (await submit(visitor(), path)).headers["location"] == "/orders"


@pytest.mark.parametrize("door", ["/login", "/orders/lookup"])
async def test_a_bad_address_is_said_beside_its_field_and_writes_nothing(visitor, door: str) -> None:
    before, browser = await picture(), visitor()
    for email in ("", "nobody", "a@b\nBcc: c@d.de", "x" * 300, "a\x00@b.de", '"><script>x'):
        page = await submit(browser, door, {"email": email})
        assert page.status_code == 400, email
        assert 'id="email-error"' in page.text
        assert "<script>x" not in page.text
    assert await picture() == before


@pytest.mark.parametrize("door", ["/login", "/orders/lookup"])
async def test_bad_json_is_a_problem_and_writes_nothing(client, door: str) -> None:
    before = await picture()
    for body in ("", "{", "[]", "{}", '{"email": 5}', '{"email": null}', '{"email": ["a@b.de"]}'):
        answer = await client.post(door, content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 400, body
        assert answer.json()["code"] in {"malformed_body", "bad_email"}
    assert await picture() == before


async def test_signing_out_forgets_the_session_and_the_orders(client, visitor, drain, box) -> None:
    order = await place(client, email=EMAIL)
    browser = visitor()
    browser.cookies.set("bitloot_orders", order.token, domain="127.0.0.1")
    assert (await browser.get(f"/orders/{order.id}")).status_code == 200
    out = await submit(browser, "/logout")
    assert (out.status_code, out.headers["location"]) == (303, "/")
    assert (await browser.get(f"/orders/{order.id}")).status_code == 404


async def test_no_letter_holds_a_token_or_a_key(ready, box) -> None:
    assert len(await box.mail()) == 3
    rows = str(await db.fetch("SELECT * FROM mail")) + str(await db.fetch("SELECT * FROM link"))
    assert not re.search(r"eyJ[A-Za-z0-9_-]{20}", rows + str(await box.mail()))
    for path in await links_to(box, EMAIL):
        assert path.removeprefix("/links/") not in rows
    assert clock.now().tzinfo is not None
