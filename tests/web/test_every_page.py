"""Every page that links lead to: answered, dressed in security headers, and free of what the policy would block."""

import pytest

from tests.web.builders import IPN, compact, place, sign, submit
from tests.web.pages import Page, crawl

HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def directives(answer) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


def assert_dressed(path: str, answer) -> None:
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS, path
    policy = directives(answer)
    assert policy["default-src"].startswith("'self'"), path
    assert policy["frame-ancestors"] == "'none'", path
    assert len(answer.headers.get_list("content-security-policy")) == 1, path
    assert len(answer.headers.get_list("x-request-id")) == 1, path
    assert (policy["script-src"], policy["style-src"], policy["base-uri"]) == ("'self'", "'self'", "'none'"), path


def assert_clean(path: str, answer) -> None:
    page = Page(answer.text)
    assert page.faults == [], path
    assert len(page.ids) == len(set(page.ids)), (path, sorted(i for i in page.ids if page.ids.count(i) > 1))
    assert answer.text.count("<h1") == 1, path
    assert "<title>" in answer.text, path
    assert answer.headers["cache-control"] == "no-store", path
    assert 'lang="en"' in answer.text, path


def judge(seen: dict) -> None:
    for path, answer in seen.items():
        assert answer.status_code in {200, 303}, (path, answer.status_code)
        assert_dressed(path, answer)
        is_page = answer.headers["content-type"].startswith("text/html") and answer.status_code == 200
        if is_page and not path.startswith("/api/docs"):
            assert_clean(path, answer)


async def test_a_stranger_may_read_every_page_the_shop_links_to(browser_client) -> None:
    seen = await crawl(browser_client, "/", "/cart", "/login", "/orders", "/orders/lookup", "/admin/login")
    assert len([path for path in seen if path.startswith("/products/")]) >= 60
    assert any(path.startswith("/static/") for path in seen)
    judge(seen)


async def test_a_customer_may_read_every_page_of_every_kind_of_order(visitor, client, ready, drain, box) -> None:
    browser = visitor()
    waiting = await place(client)
    await drain()
    cancelled = await place(client)
    await client.post(f"/orders/{cancelled.id}/cancellations", headers=cancelled.bearer)
    await client.post(f"/fulfillment/{ready.id}/reveal", json={"itemId": ready.item_id}, headers=ready.bearer)
    for order in (ready, waiting, cancelled, await place(client)):
        browser.cookies.set("bitloot_orders", order.token)
        own = (f"/orders/{order.id}", f"/orders/{order.id}/audit", "/orders")
        seen = {path: await browser.get(path) for path in own}
        judge(seen)
    browser.cookies.set("bitloot_orders", ready.token)
    judge({"success": await browser.get(f"/orders/{ready.id}/success")})
    revealed = await submit(browser, f"/fulfillment/{ready.id}/reveal", {"item_id": ready.item_id})
    judge({"revealed": revealed})


async def test_the_checkout_is_clean_too(browser_client, client) -> None:
    item = (await client.get("/")).json()["items"][0]
    await submit(browser_client, "/cart", {"slug": item["slug"], "quantity": "1"})
    judge({path: await browser_client.get(path) for path in ("/cart", "/checkout")})
    failed = await submit(browser_client, "/orders", {"email": "x", "pay_currency": "x", "discount_code": "x"})
    assert_dressed("/orders", failed)
    assert_clean("/orders", failed)


async def test_an_admin_may_read_every_page_the_admin_links_to(admin, ready, client) -> None:
    body = compact({"payment_id": 1, "payment_status": "waiting"})
    await client.post(IPN, content=body, headers={"x-nowpayments-sig": sign(body)})
    seen = await crawl(admin, "/admin")
    for part in ("/admin/orders/", "/admin/jobs/", "/admin/webhooks/", "/admin/jobs?status=failed"):
        assert any(path.startswith(part) for path in seen), part
    judge(seen)


ERRORS = (
    "/nowhere", "/orders/x/y/z", "/products/nothing", "/admin/orders/x", "/api/v1/nothing", "/static/nothing.css",
    "/static/../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/.env", "/%00", "/" + "a/" * 200, "/blobs/x",
)  # fmt: skip


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_errors_are_dressed_as_well(visitor, accept: str) -> None:
    browser = visitor(accept)
    for path in ERRORS:
        answer = await browser.get(path)
        assert answer.status_code in {303, 400, 401, 403, 404}, path
        assert_dressed(path, answer)
        if accept == "text/html" and answer.status_code != 303:
            assert Page(answer.text).faults == []


async def test_a_rendered_shelf_shows_nothing_of_another_visitor(visitor, client) -> None:
    first, second = visitor(), visitor()
    slug = (await client.get("/")).json()["items"][0]["slug"]
    await submit(first, "/cart", {"slug": slug, "quantity": "3"})
    mine, theirs = await first.get("/?q=a&sort=name"), await second.get("/?q=a&sort=name")
    assert first.cookies["bitloot_csrf"] in mine.text
    assert first.cookies["bitloot_csrf"] not in theirs.text
    assert 'data-count="3"' in mine.text
    assert 'data-count="0"' in theirs.text


async def test_files_are_kept_by_browsers_and_pages_are_not(browser_client) -> None:
    page = await browser_client.get("/")
    style = next(link for link in Page(page.text).links if link.endswith(".css") or ".css?" in link)
    assert "max-age=" in (await browser_client.get(style)).headers["cache-control"]
    assert page.headers["cache-control"] == "no-store"
