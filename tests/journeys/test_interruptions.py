"""A page whose line to the shop breaks: it goes on by asking, and catches up when somebody looks at it again."""

import re

from playwright.async_api import Page, Route, expect

from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Invite, Story, Told, stories
from tests.journeys.shopper import Shopper

# A tab can't be hidden in a headless browser; what a page learns of it can be said to it.
TABS = """
let hidden = false;
Object.defineProperty(document, 'hidden', {get: () => hidden});
Object.defineProperty(document, 'visibilityState', {get: () => hidden ? 'hidden' : 'visible'});
window.turnTo = (other) => { hidden = other; document.dispatchEvent(new Event('visibilitychange')); };
"""
CUT = r"/events|htmx:sse:error|htmx:error|ERR_FAILED"


async def _cut(route: Route) -> None:
    await route.abort("failed")


async def _looks_at_an_order(
    env: UpEnvironment, invite: Invite, *, cut: bool, tabs: bool = False
) -> tuple[Shopper, Page]:
    """Somebody on the live page of a new order, whose stream may be cut. With ``tabs`` it hides and never polls."""
    order, visitor = await Shopper.orders(env), await invite()
    await order.payment_id()
    if tabs:
        await visitor.context.add_init_script(TABS)
        await visitor.never_polls()
    if cut:
        visitor.expects(CUT)
        await visitor.context.route("**/events?*", _cut)
    await visitor.context.add_cookies([order.cookie])
    await visitor.page.goto(order.page)
    await expect(visitor.page.get_by_role("heading", name="Send your payment")).to_be_visible()
    await expect(visitor.page.locator(f"#status[data-stream={'down' if cut else 'up'}]")).to_be_attached()
    return order, visitor.page


async def a_page_without_its_stream_completes_by_asking(env: UpEnvironment, invite: Invite) -> None:
    order, page = await _looks_at_an_order(env, invite, cut=True)
    await expect(page.get_by_text("Checking every few seconds")).to_be_visible()
    await order.buys()
    await expect(page).to_have_url(re.compile("/success$"))


async def a_hidden_page_asks_nothing_and_catches_up_at_once_when_it_is_shown(
    env: UpEnvironment, invite: Invite
) -> None:
    order, page = await _looks_at_an_order(env, invite, cut=True, tabs=True)
    asked: list[str] = []
    await page.evaluate("turnTo(true)")
    page.on("request", lambda request: asked.append(request.url))
    await order.pays("confirming")
    await order.reaches("confirming")
    await expect(page.get_by_role("heading", name="Send your payment")).to_be_visible()
    assert asked == []
    await page.evaluate("turnTo(false)")
    await _sees_confirming(page)


async def a_page_shown_again_has_its_stream_again(env: UpEnvironment, invite: Invite) -> None:
    order, page = await _looks_at_an_order(env, invite, cut=False, tabs=True)
    await page.evaluate("turnTo(true)")
    await order.pays("confirming")
    await order.reaches("confirming")
    await page.evaluate("turnTo(false)")
    await _sees_confirming(page)
    await expect(page.locator("#status[data-stream=up]")).to_be_attached()
    await order.pays("finished")
    await expect(page).to_have_url(re.compile("/success$"))


async def _sees_confirming(page: Page) -> None:
    await expect(page.get_by_role("heading", name="Payment seen, waiting for confirmations")).to_be_visible()


@stories(
    a_page_without_its_stream_completes_by_asking,
    a_hidden_page_asks_nothing_and_catches_up_at_once_when_it_is_shown,
    a_page_shown_again_has_its_stream_again,
)
async def test_when_the_line_breaks(told: Told, story: Story) -> None:
    await told[story]
