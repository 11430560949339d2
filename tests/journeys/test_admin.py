"""An admin's first minutes: what needs a person comes first, and a dead letter is sent round again by a button."""

import re

from playwright.async_api import Page, expect

from dev.environment import until
from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Invite, Story, Told, stories
from tests.journeys.shopper import Shopper, bought_exactly_once

CHECK = "fulfillment.check"
WRONG_COIN = re.compile("instead of ltc|owed back")


async def _sign_in(page: Page, env: UpEnvironment) -> None:
    email, password = env.admin
    await page.goto("/admin")
    await expect(page).to_have_url(re.compile("/admin/login$"))
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Password").fill("not the password")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("do not match")
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page).to_have_url(re.compile("/admin$"))


async def _dead_letter(env: UpEnvironment) -> tuple[Shopper, str]:
    """An order whose supplier breaks at every question about it, until its job is out of attempts."""
    product = (await env.products(1))[0]
    await env.box.set_product(product["supplier_product_id"], mode="by_hand")
    order = await Shopper.orders(env, products=[product])
    await order.pays()

    async def bought() -> str | None:
        found = await order.supplied()
        return found[0]["orderId"] if found else None

    supplier_order = await until(bought, "the supplier has the order")
    await env.box.set_product(product["supplier_product_id"], mode="normal")
    await env.box.fault("kinguin", "error500", path=supplier_order)
    await env.box.act(supplier_order, "deliver")
    return order, supplier_order


async def what_needs_a_person_is_on_top_and_a_dead_letter_goes_round_again(env: UpEnvironment, invite: Invite) -> None:
    stuck, supplier_order = await _dead_letter(env)
    wrong = await Shopper.orders(env)
    await wrong.pays("wrong_coin")
    visitor = await invite()
    visitor.expects("status of 401|^answer 401")
    page = visitor.page
    await _sign_in(page, env)

    async def dead() -> bool:
        # A sweep and a notice may each have had it checked, unseen by the other; both end in one dead letter.
        at_work = [*await stuck.jobs("pending"), *await stuck.jobs("processing")]
        return CHECK not in at_work and CHECK in await stuck.jobs("failed")

    await until(dead, "its check is out of attempts", seconds=25)
    assert await stuck.jobs("failed") == [CHECK]
    await visitor.goes_to("/admin")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Needs you")
    needs = page.locator(".need")
    parked = needs.filter(has_text=wrong.short_id)
    await expect(parked).to_contain_text(WRONG_COIN)
    assert (await needs.first.inner_text()).startswith("Order"), "orders stand before jobs"

    await visitor.goes_to(f"/admin/orders/{wrong.order_id}")
    await expect(page.locator(".timeline")).to_contain_text(WRONG_COIN)
    await visitor.goes_to("/admin/webhooks")
    await expect(page.get_by_role("row").filter(has_text="nowpayments").first).to_be_visible()

    await env.box.fault("kinguin", "error500", path=supplier_order, rate="0")
    await visitor.goes_to("/admin/jobs?status=failed")
    await page.get_by_role("row").filter(has_text=stuck.short_id).get_by_role("link").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(CHECK)
    attempts = page.get_by_role("row").filter(has_text="ProviderDown")
    failed = await attempts.count()
    assert failed >= 3
    await page.get_by_role("button", name="Run it again").click()
    await page.get_by_role("dialog").get_by_role("button", name="Run it again").click()
    await expect(page.get_by_role("button", name="Run it again")).to_have_count(0)
    await bought_exactly_once(stuck)
    await page.reload()
    await expect(page.get_by_text("completed").first).to_be_visible()
    await expect(attempts).to_have_count(failed)

    await page.get_by_role("button", name="Sign out").click()
    await page.goto("/admin/orders")
    await expect(page).to_have_url(re.compile("/admin/login$"))


@stories(what_needs_a_person_is_on_top_and_a_dead_letter_goes_round_again)
async def test_on_the_admins_pages(told: Told, story: Story) -> None:
    await told[story]
