"""The web process dies under an open page."""

import re

from playwright.async_api import expect

from dev.environment import alive, until
from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Invite
from tests.journeys.shopper import Shopper

# What a browser may say of an answer that its server's death cut off, or never let begin.
CUT_OFF = "FAILED|CONNECTION_RE(FUSED|SET)|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|CONTENT_LENGTH_MISMATCH"
BROKEN = rf"/events|/status|htmx:|ERR_({CUT_OFF})"


async def test_the_web_process_killed_under_an_open_page_comes_back_and_the_page_goes_on(
    env: UpEnvironment, invite: Invite
) -> None:
    order, visitor = await Shopper.orders(env), await invite()
    payment, page = await order.payment_id(), visitor.page
    visitor.expects(BROKEN)
    await visitor.context.add_cookies([order.cookie])
    await page.goto(order.page)
    await expect(page.locator("#status[data-stream=up]")).to_be_attached()
    web = await env.running("web")
    web.kill()
    await until(lambda: not alive(web), "it is dead")
    # Paid while nobody answers: the provider says it again, or the shop asks.
    await env.box.pay(payment, "success")
    await expect(page.locator("#status[data-stream=down]")).to_be_attached()
    await expect(page).to_have_url(
        re.compile("/success$"), timeout=100_000
    )  # the notice may be given up before the shop is back: then the look after a minute tells
    await page.get_by_role("button", name="Reveal key").click()
    await expect(page.locator(".key-value")).to_have_count(1)
    assert await env.running("web", other_than=web)
