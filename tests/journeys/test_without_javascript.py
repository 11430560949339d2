"""Forms, links and a page that refreshes itself: enough to buy and to reveal."""

import re

from playwright.async_api import expect

from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Invite, Story, Told, stories


async def a_game_is_found_bought_paid_and_revealed(env: UpEnvironment, invite: Invite) -> None:
    product = (await env.products(1))[0]
    visitor = await invite(java_script_enabled=False)
    page = visitor.page
    await page.goto("/")
    await page.get_by_role("searchbox", name="Search games").fill(product["name"])
    await page.get_by_role("button", name="Show games").click()
    await expect(page).to_have_url(re.compile(r"[?&]q="))
    await page.locator(f'#results a[href="/products/{product["slug"]}"]').click()
    await page.get_by_role("button", name="Add to cart").click()
    await page.get_by_label("Quantity of").fill("2")
    await page.get_by_role("button", name="Update").click()
    await expect(page.locator("#cart-count")).to_have_text("2")
    await page.get_by_role("link", name="Go to checkout").click()
    await page.get_by_label("Email", exact=True).fill("nobody at all")
    await page.get_by_role("button", name="Place order").click()
    await expect(page.locator("#email-error")).to_contain_text("Enter an email address like")
    visitor.expects("status of 400|^answer 400")
    await expect(page.get_by_label("Email", exact=True)).to_have_value("nobody at all")
    await page.get_by_label("Email", exact=True).fill("delivered+plain@resend.dev")
    await page.get_by_role("radio", name="Litecoin").check()
    await page.get_by_role("button", name="Place order").dblclick()
    # The address arrives with one of the page's own refreshes; so does the key.
    await expect(page.get_by_role("heading", name="Send your payment")).to_be_visible()
    order_id = page.url.rsplit("/", 1)[1]
    placed = await env.rows("SELECT id FROM customer_order WHERE email = 'delivered+plain@resend.dev'")
    assert [str(row["id"]) for row in placed] == [order_id]
    letters = await env.rows("SELECT kind FROM mail WHERE recipient = 'delivered+plain@resend.dev'")
    assert len(letters) <= 1  # none where this mailbox has had its share of letters today
    payment = await env.rows("SELECT provider_payment_id FROM payment WHERE order_id = $1::uuid", order_id)
    await env.box.pay(payment[0]["provider_payment_id"], "success")
    await page.get_by_role("link", name="Go to your key").click()
    await expect(page).to_have_url(re.compile("/success$"))
    await page.get_by_role("button", name="Reveal keys").click()
    await expect(page.locator(".key-value")).to_have_count(2)
    await expect(page.locator("main")).to_contain_text("We noted the time")
    await page.goto(f"/orders/{order_id}/success")
    await expect(page.locator(".key-value")).to_have_count(0)
    await expect(page.get_by_role("button", name="Show again")).to_be_visible()


@stories(a_game_is_found_bought_paid_and_revealed)
async def test_without_javascript(told: Told, story: Story) -> None:
    await told[story]
