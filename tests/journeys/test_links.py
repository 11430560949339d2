"""Mailed links: how a customer comes back from another browser."""

import re

from playwright.async_api import Page, expect

from dev.environment import until
from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Invite
from tests.journeys.shopper import Shopper


async def _link(env: UpEnvironment, email: str, subject: str) -> str:
    """The link in the letter to ``email`` whose subject begins so."""

    async def found() -> str | None:
        letters = (await env.box.http.get("/sandbox/api/mail", params={"to": email})).json()
        texts = [letter["text"] for letter in letters if letter["subject"].startswith(subject)]
        links = re.findall(r"https?://\S+/links/\S+", texts[0]) if texts else []
        return links[0] if links else None

    return str(await until(found, f"{email} gets “{subject}…” with a link"))


async def _sees_orders(page: Page, *orders: Shopper) -> None:
    await expect(page).to_have_url(re.compile("/orders$"))
    await expect(page.get_by_role("row").filter(has=page.get_by_role("link"))).to_have_count(len(orders))
    for order in orders:
        await expect(page.locator(f'a[href="/orders/{order.order_id}"]')).to_have_count(1)


async def test_an_order_is_found_again_by_a_mailed_link_that_looking_at_does_not_use_up(
    env: UpEnvironment, invite: Invite
) -> None:
    order = await Shopper.orders(env)
    stranger = await invite()
    page = stranger.page
    stranger.expects("status of 404|^answer 404|status of 410|^answer 410")
    await page.goto(order.page)
    await expect(page.get_by_role("heading", name="We can't show that order")).to_be_visible()
    await page.get_by_role("link", name="Find an order").click()
    await page.get_by_label("Email", exact=True).fill(order.email)
    await page.get_by_role("button", name="Send me a link").click()
    await expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    link = await _link(env, order.email, "Your orders at")
    # A mail scanner looks first, twice.
    for _ in range(2):
        assert (await env.http.get(link)).status_code == 200
    await page.goto(link)
    await page.get_by_role("button", name="Sign in").click()
    await _sees_orders(page, order)
    await page.locator(f'a[href="/orders/{order.order_id}"]').click()
    await expect(page.get_by_role("heading", name="Send your payment")).to_be_visible()

    late = await invite()
    late.expects("status of 410|^answer 410")
    await late.page.goto(link)
    await expect(late.page.get_by_role("heading", name="This link no longer works")).to_be_visible()
    await expect(late.page.get_by_role("button", name="Sign in")).to_have_count(0)
    await late.page.goto("/orders")
    await expect(late.page.get_by_role("heading", name="No orders here")).to_be_visible()


async def test_the_letter_about_a_ready_key_leads_from_the_mailbox_to_the_key(
    env: UpEnvironment, invite: Invite
) -> None:
    order = await Shopper.orders(env)
    await order.buys()
    wanted = await _link(env, order.email, "Your key is ready")
    visitor = await invite()
    page = visitor.page
    await page.goto(f"{env.sandbox_url}/sandbox/mail")
    letter = page.get_by_role("link").filter(has_text=order.email).filter(has_text="Your key is ready")
    await letter.click()
    letters = page.locator("pre")
    await expect(letters).to_contain_text(wanted)
    async with visitor.context.expect_page() as opened:
        await letters.get_by_role("link").filter(has_text="/links/").click()
    shop = await opened.value
    await shop.get_by_role("button", name="Open my order").click()
    await expect(shop).to_have_url(re.compile(f"/orders/{order.order_id}"))
    if "success" not in shop.url:
        await shop.get_by_role("link", name="Go to your key").click()
    await shop.get_by_role("button", name="Reveal key").click()
    keys = [key["serial"] for o in await order.supplied() for key in o["keys"]]
    await expect(shop.locator(".key-value")).to_have_text(keys)
