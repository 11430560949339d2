"""Merchants' orders on pages: unknown to the shop's own, told plainly to admins; refunds claimed by their link."""

import pytest

from app.accounts.tokens import orders_token
from app.refunds import create_for_merchants
from tests.builders import COIN, rows
from tests.orders.merchants import CUSTOMER, asked, charged, completed, merchant
from tests.refunds.builders import ADDRESS, refund
from tests.refunds.test_create_for_merchants import back, by_coin
from tests.web.builders import session_of, submit


@pytest.mark.parametrize("door", ["", "/success", "/events", "/status"])
async def test_the_shop_shows_a_merchants_order_to_nobody(visitor, admin, door: str) -> None:
    placed = await charged(await merchant(), email=CUSTOMER)
    customer, holder = visitor(), visitor()
    customer.cookies.set("bitloot_session", await session_of(CUSTOMER), domain="127.0.0.1", path="/")
    holder.cookies.set("bitloot_orders", orders_token([placed.id]), domain="127.0.0.1", path="/")
    for browser in (customer, holder, admin):
        assert (await browser.get(f"/orders/{placed.id}{door}")).status_code == 404


async def test_a_customers_orders_are_the_shops_alone(visitor) -> None:
    placed = await charged(await merchant(), email=CUSTOMER)
    browser = visitor()
    browser.cookies.set("bitloot_session", await session_of(CUSTOMER), domain="127.0.0.1", path="/")
    found = await browser.get("/orders")
    assert found.status_code == 200
    assert placed.id.hex[-8:].upper() not in found.text
    assert (await submit(visitor(), "/orders/lookup", {"email": CUSTOMER})).status_code == 200
    assert (await rows())["mail"] == [], "no letter for an address without an order of ours"


async def test_an_admin_sees_whose_order_it_is_and_that_it_is_a_test(admin, drain) -> None:
    whose = await merchant("Tea & Sons")
    tested = await charged(whose, reference="cart 7")
    await completed(drain, tested)
    live = await charged(whose, reference="cart 8", test=False, email=CUSTOMER)
    await asked(live, "crypto", currency=COIN)
    index = (await admin.get("/admin/orders")).text
    assert "Tea &amp; Sons: cart 7" in index
    assert "Tea &amp; Sons: cart 8" in index
    assert index.count(">Test<") == 1
    assert "cart 8" in (await admin.get("/admin/orders", params={"q": "cart 8"})).text
    shown = (await admin.get(f"/admin/orders/{tested.id}")).text
    for words in ("Tea &amp; Sons", "cart 7", ">Test<", "Payment started", "Done: the merchant delivers"):
        assert words in shown, words
    assert "Customer’s page" not in shown
    other = (await admin.get(f"/admin/orders/{live.id}")).text
    assert ">Test<" not in other
    assert CUSTOMER in other


async def test_an_admin_sees_whose_refund_it_is(admin, drain) -> None:
    paid = await completed(drain, await charged(await merchant()))
    made = await back(paid, "5.00")
    assert "Tea House: cart 7" in (await admin.get("/admin/refunds")).text
    shown = (await admin.get(f"/admin/refunds/{made.id}")).text
    for words in ("Tea House", "cart 7", ">Test<", "Known to the merchant"):
        assert words in shown, words
    assert "Record as sent" not in shown


async def test_a_customer_of_a_merchant_claims_a_refund_and_is_told_who_knows_the_rest(app, box, visitor) -> None:
    made = await back(await by_coin(app.state.kit, box, email=""))
    url = create_for_merchants.claim_url(made)
    assert url is not None
    path, browser = url[url.index("/refunds/claims") :], visitor()
    asked_for = (await browser.get(path)).text
    assert "cart 7" in asked_for
    assert "at Tea House" in asked_for
    done = await submit(browser, path, {"coin": COIN, "address": ADDRESS, "memo": "", "confirmed": "yes"})
    assert done.status_code == 200, done.text
    assert "Tea House can tell you" in done.text
    assert (await refund(made.id)).address == ADDRESS
    assert "bitloot_orders" not in browser.cookies
