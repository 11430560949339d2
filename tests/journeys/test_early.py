"""A hand quicker than the page's scripts: what it did is done once they are there, and once only."""

from collections.abc import Awaitable, Callable
from typing import Any

from playwright.async_api import expect

from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Invite, Visitor
from tests.journeys.shopper import Shopper

Release = Callable[[], Awaitable[None]]


async def _has_one_in_the_cart(visitor: Visitor, product: dict[str, Any]) -> None:
    """A page that is there as a whole, so that nothing of it is still on its way when the next one is held up."""
    await visitor.page.goto(f"/products/{product['slug']}")
    await visitor.page.get_by_role("button", name="Add to cart").click()
    await expect(visitor.page.locator("#cart-count")).to_have_text("1")
    await visitor.page.wait_for_load_state("load")


async def _held(visitor: Visitor, path: str) -> Release:
    """Open a page whose htmx stays on its way, and with it every deferred script, until the release is called."""
    page, come = visitor.page, await visitor.lacks("**/vendor/htmx.min.js*")
    await page.goto(path, wait_until="commit")

    async def release() -> None:
        assert await page.evaluate("document.readyState") == "loading", "the scripts were late, not the hand"
        come.set()
        await page.wait_for_load_state("load")

    return release


async def test_an_address_typed_early_is_looked_at_all_the_same(env: UpEnvironment, invite: Invite) -> None:
    product = (await env.products(1))[0]
    visitor = await invite()
    page = visitor.page
    await _has_one_in_the_cart(visitor, product)
    release = await _held(visitor, "/checkout")
    email = page.get_by_label("Email", exact=True)
    await email.fill("delivered+early@gmial.com")
    await email.blur()
    await release()
    await page.get_by_role("button", name="delivered+early@gmail.com").click()
    await expect(email).to_have_value("delivered+early@gmail.com")


async def test_buttons_pressed_early_act_once(env: UpEnvironment, invite: Invite) -> None:
    product = (await env.products(1))[0]
    visitor = await invite(color_scheme="light")
    page = visitor.page
    await _has_one_in_the_cart(visitor, product)
    release = await _held(visitor, "/cart")
    await page.get_by_role("button", name="One more").click()
    await page.locator("[data-theme-switch]").click()
    quantity = page.get_by_label(f"Quantity of {product['name']}")
    await expect(quantity).to_have_value("1")
    await release()
    await expect(quantity).to_have_value("2")
    await expect(page.locator("html[data-theme=dark]")).to_be_attached()
    await expect(page.locator("#cart-count")).to_have_text("2")


async def test_an_act_that_cannot_be_undone_is_asked_about_however_early(env: UpEnvironment, invite: Invite) -> None:
    order = await Shopper.orders(env)
    await order.payment_id()
    visitor = await invite()
    await visitor.context.add_cookies([order.cookie])
    page = visitor.page
    release = await _held(visitor, order.page)
    await page.get_by_role("button", name="Cancel this order").click()
    await release()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text(f"Cancel order {order.short_id}?")
    assert (await order.status())["status"] == "waiting"
    await dialog.get_by_role("button", name="Cancel the order").click()
    await expect(page.get_by_role("heading", name="This order is cancelled")).to_be_visible()
