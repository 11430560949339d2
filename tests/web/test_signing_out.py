"""Signing out ends what it says: kept copies of cookies open nothing, wherever they lie."""

import pytest

from app.accounts import sessions
from app.core import db
from app.merchants import service as merchants
from app.web.account.devices import device_name
from tests.web.builders import LOG, assert_problem, logged, picture, session_of, submit
from tests.web.merchant.conftest import joined

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML) Version/18.0 Safari/604.1"


async def signed_in(visitor, email: str, **headers: str):
    browser = visitor(**headers)
    browser.cookies.set("bitloot_session", await session_of(email), domain="127.0.0.1", path="/")
    return browser


def copy_of(browser, visitor):
    """A browser that holds what the other holds now."""
    made = visitor()
    for cookie in browser.cookies.jar:
        made.cookies.set(cookie.name, cookie.value, domain="127.0.0.1", path="/")
    return made


async def test_a_customers_kept_cookie_is_refused_after_signing_out(visitor, ready) -> None:
    browser = await signed_in(visitor, ready.email)
    kept = copy_of(browser, visitor)
    assert (await kept.get(f"/orders/{ready.id}")).status_code == 200
    assert (await submit(browser, "/logout")).headers["location"] == "/"
    assert (await kept.get(f"/orders/{ready.id}")).status_code == 404
    assert ready.email not in (await kept.get("/orders")).text
    before = await picture(but=("audit_line", "audit_head"))
    refused = await submit(kept, f"/fulfillment/{ready.id}/reveal", {"item_id": ready.item_id})
    assert refused.status_code == 404
    assert await picture(but=("audit_line", "audit_head")) == before


async def test_a_merchants_kept_cookie_is_refused_after_signing_out(visitor) -> None:
    merchant_id = await merchants.create_merchant("Acme")
    await joined(merchant_id, "ann@acme.test")
    browser = await signed_in(visitor, "ann@acme.test")
    kept = copy_of(browser, visitor)
    assert (await kept.get("/merchant/keys")).status_code == 200
    await submit(browser, "/logout")
    assert (await kept.get("/merchant/keys")).status_code == 404
    before = await picture()
    assert (await submit(kept, "/merchant/guide/keys", {"merchant_context": f"{merchant_id}.test"})).status_code == 404
    assert await picture() == before


async def test_an_admins_kept_cookie_is_refused_after_signing_out(visitor, admin) -> None:
    kept = copy_of(admin, visitor)
    await submit(admin, "/admin/logout")
    assert (await kept.get("/admin")).headers["location"] == "/admin/login"


async def test_a_kept_session_is_refused_as_a_bearer_token_too(visitor, ready) -> None:
    token = await session_of(ready.email)
    browser, client = visitor(), visitor("application/json", authorization=f"Bearer {token}")
    browser.cookies.set("bitloot_session", token, domain="127.0.0.1", path="/")
    assert (await client.get(f"/orders/{ready.id}")).status_code == 200
    await submit(browser, "/logout")
    assert (await client.get(f"/orders/{ready.id}")).status_code == 404


async def test_the_kept_orders_cookie_of_a_browser_that_signed_out_opens_nothing(visitor, shopper) -> None:
    """A guest's access to orders ends with signing out too, also for orders bought before in the same browser."""
    browser, order = shopper
    kept = copy_of(browser, visitor)
    assert (await kept.get(order)).status_code == 200
    await submit(browser, "/logout")
    assert (await kept.get(order)).status_code == 404
    assert order not in (await kept.get("/orders")).text


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
async def test_a_kept_orders_cookie_sent_as_a_bearer_token_opens_nothing_after_signing_out(
    visitor, shopper, accept
) -> None:
    browser, order = shopper
    client = visitor(accept, authorization=f"Bearer {browser.cookies['bitloot_orders']}")
    assert (await client.get(order)).status_code == 200
    await submit(browser, "/logout")
    before = await picture(but=LOG)
    assert (await client.get(order)).status_code == 404
    assert (await client.post(f"{order}/cancellations")).status_code == 404
    assert await picture(but=LOG) == before


@pytest.mark.parametrize("is_over", [False, True])
async def test_an_order_placed_with_a_bearer_token_gives_its_orders_to_no_browser(visitor, shopper, is_over) -> None:
    browser, order = shopper
    kept = browser.cookies["bitloot_orders"]
    if is_over:
        await submit(browser, "/logout")
    thief = visitor()
    placed = await buy(thief, authorization=f"Bearer {kept}")
    assert (await thief.get(placed)).status_code == 200
    assert (await thief.get(order)).status_code == 404
    assert order not in (await thief.get("/orders")).text


async def test_signing_out_with_the_orders_cookie_as_a_bearer_token_ends_it_too(visitor, shopper) -> None:
    browser, order = shopper
    await submit(visitor(), "/logout", authorization=f"Bearer {browser.cookies['bitloot_orders']}")
    assert (await browser.get(order)).status_code == 404


async def test_an_order_placed_with_a_dead_cookie_is_open_and_the_old_ones_stay_shut(visitor, shopper) -> None:
    browser, order = shopper
    kept = copy_of(browser, visitor)
    await submit(browser, "/logout")
    placed = await buy(kept)
    assert (await kept.get(placed)).status_code == 200
    assert (await kept.get(order)).status_code == 404


async def buy(browser, **headers: str) -> str:
    slug = await db.fetch_value("SELECT slug FROM product WHERE active AND stock > 3 ORDER BY slug LIMIT 1")
    await submit(browser, "/cart", {"slug": slug, "quantity": "1"})
    placed = await submit(browser, "/orders", {"email": "guest@bitloot.test"}, **headers)
    assert placed.status_code == 303, placed.text
    return str(placed.headers["location"])


@pytest.fixture
async def shopper(visitor):
    browser = visitor()
    return browser, await buy(browser)


async def test_the_list_of_devices_names_each_and_ends_one(visitor) -> None:
    here = await signed_in(visitor, "ann@shop.test")
    there = visitor()
    session = await sessions.begin("ann@shop.test", "customer", user_agent=IPHONE, ip="192.0.2.9")
    found = await here.get("/account/devices")
    assert "Safari on iPhone" in found.text
    assert "192.0.2.9" in found.text
    assert found.text.count("(this one)") == 1
    listed = (await here.get("/account/devices", headers={"accept": "application/json"})).json()["devices"]
    assert [device["current"] for device in listed].count(True) == 1
    ended = await submit(here, f"/account/devices/{session.id}/revocations")
    assert ended.headers["location"] == "/account/devices"
    assert "Safari on iPhone" not in (await here.get("/account/devices")).text
    assert not await sessions.stands(session)
    assert (await there.get("/account/devices")).headers["location"] == "/login"


async def test_signing_out_everywhere_ends_this_browser_and_the_others(visitor, ready) -> None:
    first, second = await signed_in(visitor, ready.email), await signed_in(visitor, ready.email)
    kept = copy_of(first, visitor)
    assert (await submit(first, "/account/devices/revocations")).headers["location"] == "/"
    for browser in (first, second, kept):
        assert (await browser.get(f"/orders/{ready.id}")).status_code == 404
        assert (await browser.get("/account/devices")).headers["location"] == "/login"


async def test_an_admin_ends_one_device_and_it_is_in_the_audit_log(visitor, admin) -> None:
    other = await sessions.begin("boss@bitloot.test", "admin", user_agent=FIREFOX)
    assert "Firefox on Linux" in (await admin.get("/account/devices")).text
    await submit(admin, f"/account/devices/{other.id}/revocations")
    assert not await sessions.stands(other)
    assert (await admin.get("/admin")).status_code == 200
    assert await logged("admin.logged_out") == ["admin.logged_out"]


async def test_nobody_ends_anothers_device(visitor, admin) -> None:
    eve = await signed_in(visitor, "eve@else.test")
    victim = await sessions.begin("ann@shop.test", "customer")
    staff = await db.fetch_value("SELECT id FROM login_session WHERE role = 'admin'")
    before = await picture()
    for target in (victim.id, staff, "not-an-id"):
        assert (await submit(eve, f"/account/devices/{target}/revocations")).status_code == 404
    nobody = visitor("application/json")
    assert_problem(await nobody.get("/account/devices"), 401, "sign_in_first")
    assert (await submit(visitor(), "/account/devices/revocations")).status_code == 401
    assert await picture() == before


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/139.0 Safari/537.36 Edg/139.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/537 Chrome/139 Safari/537", "Chrome on Mac"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537 Chrome/139 Mobile Safari/537", "Chrome on Android"),
        ("curl/8", "curl"),
        ("", "Unknown device"),
        ("<script>", "Unknown device"),
    ],
)
def test_a_device_is_named_by_browser_and_system(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name
