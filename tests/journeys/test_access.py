"""What every page owes to those who do not see it, or not well: structure, names, contrast, and room on a phone."""

import asyncio
from pathlib import Path

from playwright.async_api import expect

from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Invite, Visitor
from tests.journeys.shopper import Shopper

STILL = {"reduced_motion": "reduce"}  # colours change at once
# The theme stands, and two frames have passed, so that no colour is on its way any more.
TURNED = """(theme) => (document.documentElement.dataset.theme ?? theme) === theme && new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"""
AUDIT = Path(__file__).with_name("access.js").read_text()


async def _owes_nothing(visitor: Visitor) -> None:
    page = visitor.page
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    for width in (390, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        await visitor.fits()
    for theme in ("light", "dark"):
        await page.emulate_media(color_scheme=theme)
        await page.wait_for_function(TURNED, arg=theme)
        assert await page.evaluate(AUDIT) == [], f"{page.url}, {theme}"


async def _see(visitor: Visitor, *paths: str) -> None:
    for path in paths:
        await visitor.page.goto(path)
        await _owes_nothing(visitor)


async def test_every_page_of_the_shop_has_structure_names_contrast_and_fits_a_phone(
    env: UpEnvironment, invite: Invite
) -> None:
    waiting, ready, half = await asyncio.gather(Shopper.orders(env), Shopper.orders(env, 1, 1), Shopper.orders(env))
    await asyncio.gather(waiting.payment_id(), ready.buys(), half.pays("partially_paid"))
    await half.reaches("underpaid")
    product = (await env.products(1))[0]
    visitor = await invite(**STILL)
    visitor.expects("status of 40[04]|^answer 40[04]")
    page = visitor.page
    await _see(visitor, "/", "/?q=no+such+game", f"/products/{product['slug']}", "/cart", "/login", "/orders")
    await page.goto(f"/products/{product['slug']}")
    await page.get_by_role("button", name="Add to cart").click()
    await _see(visitor, "/cart", "/checkout", "/orders/lookup", "/no/such/page", "/links/nothing", "/admin/login")
    await page.goto("/checkout")
    await page.get_by_label("Email", exact=True).fill("nobody at all")
    await page.get_by_role("button", name="Place order").click()
    await expect(page.locator("#email-error")).to_be_visible()
    await _owes_nothing(visitor)
    visitor.expects("status of 410|^answer 410")
    for order in (waiting, half, ready):
        await visitor.context.add_cookies([order.cookie])
        # At a part of it, so that it does not lead on by itself.
        await _see(visitor, f"/orders/{order.order_id}#status")
    await _see(visitor, "/orders", f"/orders/{ready.order_id}/success")
    await page.get_by_role("button", name="Reveal key").first.click()
    await expect(page.locator(".key-value")).to_have_count(1)
    await _owes_nothing(visitor)
    await _see(visitor, f"/orders/{ready.order_id}/audit")


async def test_every_page_of_the_admin_has_structure_names_contrast_and_fits_a_phone(
    env: UpEnvironment, invite: Invite
) -> None:
    order = await Shopper.orders(env)
    await order.buys()
    await order.reveals()
    job = await env.rows("SELECT id FROM job WHERE subject = $1::uuid LIMIT 1", order.order_id)
    notice = await env.rows("SELECT id FROM inbound_webhook LIMIT 1")
    visitor = await invite(**STILL)
    page = visitor.page
    email, password = env.admin
    await page.goto("/admin/login")
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    await _see(visitor, "/admin", "/admin/orders", f"/admin/orders/{order.order_id}", "/admin/jobs", "/admin/audit")
    await _see(visitor, f"/admin/jobs/{job[0]['id']}", "/admin/webhooks", f"/admin/webhooks/{notice[0]['id']}")


async def test_every_page_of_the_sandbox_panel_has_structure_names_contrast_and_fits_a_phone(
    env: UpEnvironment, invite: Invite
) -> None:
    order = await Shopper.orders(env)
    await order.buys()
    visitor = await invite(**STILL)
    for path in ("", "/orders", "/products", "/mail", "/faults", "/notices"):
        await visitor.page.goto(f"{env.sandbox_url}/sandbox{path}")
        await _owes_nothing(visitor)
