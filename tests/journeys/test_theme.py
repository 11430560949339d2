"""Light and dark, and motion: as the visitor's system says, and as the visitor says."""

from typing import Any

from playwright.async_api import Page, expect

from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Invite
from tests.journeys.shopper import Shopper

# When the theme was set on <html>, in milliseconds since the navigation, and to what.
WATCH = """
window.themes = [];
new MutationObserver(() => {
  const theme = document.documentElement?.dataset.theme;
  if (theme && window.themes.at(-1)?.[0] !== theme) window.themes.push([theme, performance.now()]);
}).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ['data-theme']});
"""
FIRST_PAINT = """new Promise((done) => new PerformanceObserver((list) => done(list.getEntries()[0].startTime))
  .observe({type: 'paint', buffered: true}))"""
GROUND = "getComputedStyle(document.body).backgroundColor"


async def _themes(page: Page) -> list[str]:
    """The themes this page has had; the first one stood before anything was painted."""
    themes: list[Any] = await page.evaluate("window.themes")
    painted = await page.evaluate(FIRST_PAINT)
    assert themes[0][1] <= painted, f"theme at {themes[0][1]} ms, first paint at {painted} ms"
    return [name for name, _ in themes]


async def test_the_chosen_theme_is_remembered_and_stands_before_the_first_paint(invite: Invite) -> None:
    visitor = await invite(color_scheme="light")
    await visitor.context.add_init_script(WATCH)
    page = visitor.page
    await page.goto("/")
    assert await _themes(page) == ["light"]
    light = await page.evaluate(GROUND)
    await page.get_by_role("button", name="Switch to dark theme").click()
    await expect(page.locator("html[data-theme=dark]")).to_be_attached()
    dark = await page.evaluate(GROUND)
    assert dark != light
    for path in ("/cart", "/"):
        await page.goto(path)
        assert await _themes(page) == ["dark"]
        assert await page.evaluate(GROUND) == dark
    await page.get_by_role("button", name="Switch to light theme").click()
    await page.reload()
    assert await _themes(page) == ["light"]

    other = await invite(color_scheme="dark")
    await other.context.add_init_script(WATCH)
    await other.page.goto("/")
    assert await _themes(other.page) == ["dark"]
    await other.page.emulate_media(color_scheme="light")
    await expect(other.page.locator("html[data-theme=light]")).to_be_attached()


async def test_who_wants_no_motion_gets_none(env: UpEnvironment, invite: Invite) -> None:
    order = await Shopper.orders(env)
    await order.payment_id()
    visitor = await invite(reduced_motion="reduce")
    await visitor.context.add_cookies([order.cookie])
    for path in ("/", f"/orders/{order.order_id}"):
        await visitor.page.goto(path)
        await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
        lasting = await visitor.page.evaluate(
            """[...document.querySelectorAll('*')].flatMap((it) => {
              const style = getComputedStyle(it);
              const longest = (text) => Math.max(...text.split(',').map((part) => parseFloat(part) *
                (part.trim().endsWith('ms') ? 1 : 1000)));
              const ever = style.animationName !== 'none' && style.animationIterationCount === 'infinite';
              return longest(style.transitionDuration) > 1 || longest(style.animationDuration) > 1 || ever
                ? [it.outerHTML.slice(0, 80)] : [];
            })"""
        )
        assert lasting == []
