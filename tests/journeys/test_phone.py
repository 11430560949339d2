"""The same purchase on a phone, with a coin that needs a memo."""

import re

from playwright.async_api import expect

from dev.up_environment import UpEnvironment
from tests.journeys.browsing import PHONE, Invite

QUIET_PAGES = ("/login", "/orders", "/orders/lookup", "/admin/login")


async def test_on_a_phone_a_coin_with_a_tag_is_paid_and_no_page_is_wider_than_the_screen(
    env: UpEnvironment, invite: Invite
) -> None:
    visitor = await invite(**PHONE, permissions=["clipboard-read", "clipboard-write"])
    page = visitor.page
    for path in ("/", "/?q=no+such+game", "/cart", *QUIET_PAGES):
        await visitor.goes_to(path)
    product = (await env.products(1))[0]
    await visitor.goes_to(f"/products/{product['slug']}")
    await page.get_by_role("button", name="One more").tap()
    await page.get_by_role("button", name="Buy now").tap()
    await expect(page).to_have_url(re.compile("/checkout$"))
    await visitor.fits()
    await page.get_by_label("Email", exact=True).fill("delivered+phone@resend.dev")
    await page.get_by_text("More coins").tap()
    await page.get_by_role("radio", name="needs a memo").and_(page.get_by_role("radio", name=re.compile("XRP"))).check()
    await page.get_by_role("button", name="Place order").tap()
    await expect(page.get_by_role("heading", name="Send your payment")).to_be_visible()
    await visitor.fits()
    memo = page.locator("#pay-memo-field")
    await expect(memo).to_contain_text("Destination tag")
    await expect(memo).to_contain_text("can’t be found without it")
    tag = (await page.locator("#pay-memo").inner_text()).strip()
    assert tag.isdigit()
    await memo.get_by_role("button", name="Copy destination tag").tap()
    await visitor.has_copied(tag)
    above = (await page.locator("#pay-qr").bounding_box(), await page.locator("#pay-address").bounding_box())
    assert above[0] is not None
    assert above[1] is not None
    assert above[0]["y"] < above[1]["y"], "on a phone the QR code stands above the address"

    order_id = page.url.rsplit("/", 1)[1]
    sql = "SELECT provider_payment_id, memo FROM payment WHERE order_id = $1::uuid"
    payment = (await env.rows(sql, order_id))[0]
    assert payment["memo"] == tag
    await env.box.pay(payment["provider_payment_id"], "success")
    await expect(page).to_have_url(re.compile("/success$"))
    await visitor.fits()
    await page.get_by_role("button", name="Reveal keys").tap()
    await expect(page.locator(".key-value")).to_have_count(2)
    await visitor.fits()
    for path in (f"/orders/{order_id}", f"/orders/{order_id}/audit", "/orders"):
        await visitor.goes_to(path)
