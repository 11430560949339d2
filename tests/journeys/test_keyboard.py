"""Hands off the mouse."""

import re

from playwright.async_api import Locator, Page, expect

from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Invite
from tests.journeys.shopper import Shopper

# What a person sees of the focus: an outline on the element, or on the box that stands for a hidden control.
FOCUS_SEEN = """() => {
  const at = document.activeElement;
  const shown = (it) => {
    const style = it && getComputedStyle(it);
    return style && style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
  };
  return shown(at) || shown(at.nextElementSibling) || shown(at.parentElement);
}"""


async def _tab_to(page: Page, target: Locator, *, most: int = 60, seen: bool = False) -> None:
    """Press Tab until the focus stands there; with ``seen`` it must be visible at every stop."""
    await page.wait_for_load_state("domcontentloaded")
    for _ in range(most):
        await page.keyboard.press("Tab")
        where = await page.evaluate("document.activeElement.outerHTML.slice(0, 160)")
        assert not seen or await page.evaluate(FOCUS_SEEN), f"no focus to be seen on {where}"
        if await target.evaluate("(it) => it === document.activeElement || it.contains(document.activeElement)"):
            return
    raise AssertionError(f"{most} times Tab do not lead to {target}")


async def test_the_first_tab_offers_to_skip_to_the_content(invite: Invite) -> None:
    visitor = await invite()
    page = visitor.page
    await page.goto("/")
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    await _tab_to(page, page.get_by_role("searchbox", name="Search games"), most=3, seen=True)


async def test_by_keyboard_alone_a_game_is_bought_and_its_key_revealed(env: UpEnvironment, invite: Invite) -> None:
    product = (await env.products(1))[0]
    visitor = await invite()
    page = visitor.page
    await page.goto(f"/products/{product['slug']}")
    await _tab_to(page, page.get_by_role("button", name="Buy now"), seen=True)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile("/checkout$"))
    email = page.get_by_label("Email", exact=True)
    await _tab_to(page, email, seen=True)
    await page.keyboard.type("nobody at all")
    visitor.expects("status of 400|^answer 400")
    await page.keyboard.press("Enter")
    await expect(page.locator("#email-error")).to_be_visible()
    await expect(email).to_be_focused()
    await expect(email).to_have_attribute("aria-invalid", "true")
    await expect(email).to_have_accessible_description(re.compile("Enter an email address like"))
    await page.keyboard.press("Control+A")
    await page.keyboard.type("delivered+keys@resend.dev")
    first = page.get_by_role("radio").first
    await _tab_to(page, first, seen=True)
    litecoin = page.get_by_role("radio", name="Litecoin")
    await _arrow_to(page, litecoin)
    await _tab_to(page, page.get_by_role("button", name="Place order"), seen=True)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Send your payment")).to_be_visible()
    await _tab_to(page, page.get_by_role("button", name="Copy address"), seen=True)
    order_id = page.url.rsplit("/", 1)[1]
    payment = await env.rows("SELECT * FROM payment WHERE order_id = $1::uuid", order_id)
    assert payment[0]["pay_currency"] == "ltc"
    await env.box.pay(payment[0]["provider_payment_id"], "finished")
    await expect(page).to_have_url(re.compile("/success$"))
    await _tab_to(page, page.get_by_role("button", name="Reveal key"), seen=True)
    await page.keyboard.press("Space")
    await expect(page.get_by_role("group", name="Your key")).to_be_focused()
    await _tab_to(page, page.get_by_role("button", name="Copy key"), most=2, seen=True)


async def _arrow_to(page: Page, radio: Locator) -> None:
    for _ in range(await page.get_by_role("radio").count()):
        if await radio.is_checked():
            return
        await page.keyboard.press("ArrowDown")
    await expect(radio).to_be_checked()


async def test_a_swap_of_the_live_page_leaves_the_focus_where_it_is(env: UpEnvironment, invite: Invite) -> None:
    order = await Shopper.orders(env)
    await order.payment_id()
    visitor = await invite()
    await visitor.context.add_cookies([order.cookie])
    page = visitor.page
    await page.goto(order.page)
    log = page.get_by_role("link", name="Access log")
    await _tab_to(page, log)
    await expect(page.locator("#status[data-stream=up]")).to_be_attached()
    await order.pays("confirming")
    await expect(page.get_by_role("heading", name="Payment seen, waiting for confirmations")).to_be_visible()
    await expect(log).to_be_focused()
