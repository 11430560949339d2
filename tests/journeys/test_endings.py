"""Orders that do not end with a key at once: each page says what happened, what is missing, and what to do."""

import re
from decimal import Decimal

from playwright.async_api import expect

from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Invite, Story, Told, Visitor, stories
from tests.journeys.shopper import Shopper


async def _looks_at_an_order(env: UpEnvironment, invite: Invite) -> tuple[Shopper, Visitor]:
    """A new order, and somebody on its live page."""
    order, visitor = await Shopper.orders(env), await invite()
    await order.payment_id()
    await visitor.context.add_cookies([order.cookie])
    await visitor.page.goto(order.page)
    await expect(visitor.page.locator("#status[data-stream=up]")).to_be_attached()
    return order, visitor


async def an_underpaid_order_says_what_is_missing_and_goes_on_with_the_rest(env: UpEnvironment, invite: Invite) -> None:
    order, visitor = await _looks_at_an_order(env, invite)
    page = visitor.page
    asked = Decimal((await order.status())["payment"]["payAmount"])
    await order.pays("partially_paid", fraction="0.6")
    await expect(page.get_by_role("heading", name="Part of the payment is missing")).to_be_visible()
    arrived = Decimal((await order.status())["payment"]["actuallyPaid"])
    assert 0 < arrived < asked
    field = page.locator("#pay-amount-field")
    await expect(field).to_contain_text("Send the rest")
    missing = f"{(asked - arrived).normalize():f}"
    await expect(page.locator("#pay-amount")).to_have_text(re.compile(rf"^\s*{missing}\s+LTC\s*$"))
    await expect(field).to_contain_text(f"{arrived:f} of {asked:f} LTC has arrived")
    await expect(page.get_by_role("button", name="Copy amount")).to_have_attribute("data-copy", missing)
    await expect(page.locator("#pay-address")).to_be_visible()
    await expect(page).to_have_title(re.compile("^Payment incomplete"))
    await visitor.favicon("attention")
    # The rest comes as a deposit of its own to the same address, and the order goes on by itself.
    await order.pays("success", fraction="0.4")
    await expect(page).to_have_url(re.compile("/success$"))


async def an_expired_order_says_that_no_money_came(env: UpEnvironment, invite: Invite) -> None:
    order, visitor = await _looks_at_an_order(env, invite)
    page = visitor.page
    await order.pays("expired")
    await expect(page.get_by_role("heading", name="This payment has expired")).to_be_visible()
    await expect(page.locator("#order-words")).to_contain_text("No money arrived in time")
    await expect(page).to_have_title(re.compile("^Expired"))
    await expect(page.locator("#pay-address")).to_have_count(0)
    await expect(page.get_by_role("link", name="Browse games")).to_be_visible()


async def a_failed_payment_says_so(env: UpEnvironment, invite: Invite) -> None:
    order, visitor = await _looks_at_an_order(env, invite)
    page = visitor.page
    await order.pays("failed")
    await expect(page.get_by_role("heading", name="The payment did not go through")).to_be_visible()
    await expect(page).to_have_title(re.compile("^Payment failed"))
    await expect(page.locator(".stepper [data-state=failed]")).to_contain_text("did not work")
    await visitor.favicon("attention")


async def an_order_is_cancelled_after_one_question(env: UpEnvironment, invite: Invite) -> None:
    order, visitor = await _looks_at_an_order(env, invite)
    page = visitor.page
    await page.get_by_role("button", name="Cancel this order").click()
    ask = page.get_by_role("dialog")
    await expect(ask).to_contain_text("Don’t cancel if you have already sent the coins")
    await ask.get_by_role("button", name="Go back").click()
    await expect(ask).to_be_hidden()
    assert (await order.status())["status"] == "waiting"
    await page.get_by_role("button", name="Cancel this order").click()
    await ask.get_by_role("button", name="Cancel the order").click()
    await expect(page.get_by_role("heading", name="This order is cancelled")).to_be_visible()
    await expect(page.locator("#order-words")).to_contain_text("Nothing was charged")
    assert (await order.status())["status"] == "cancelled"


async def an_order_is_paid_in_another_coin(env: UpEnvironment, invite: Invite) -> None:
    _, visitor = await _looks_at_an_order(env, invite)
    page = visitor.page
    before = await page.locator("#pay-address").inner_text()
    await page.get_by_text("Pay with another coin").click()
    await page.get_by_text("More coins").locator("visible=true").click()
    await page.get_by_role("radio", name="Dogecoin").check()
    await page.get_by_role("button", name="Use this coin").click()
    await expect(page.locator("#pay-amount")).to_contain_text("DOGE")
    assert await page.locator("#pay-address").inner_text() != before


@stories(
    an_underpaid_order_says_what_is_missing_and_goes_on_with_the_rest,
    an_expired_order_says_that_no_money_came,
    a_failed_payment_says_so,
    an_order_is_cancelled_after_one_question,
    an_order_is_paid_in_another_coin,
)
async def test_at_the_end_of_an_order(told: Told, story: Story) -> None:
    await told[story]
