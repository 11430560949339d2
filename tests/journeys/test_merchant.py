"""A member's walk: invited, in; a key, an endpoint, a paid order, half of it back, and all of it in the logs."""

import re
from typing import Any

from playwright.async_api import Page, expect

from dev.environment import until
from dev.up_environment import UpEnvironment
from tests.journeys.browsing import PHONE, Invite, Story, Told, Visitor, stories

PAGES = (
    "", "/orders", "/payments", "/refunds", "/endpoints", "/deliveries", "/keys", "/team", "/guide", "/guide?in=php",
    "/try",
)  # fmt: skip


async def _founded(page: Page, env: UpEnvironment, email: str) -> None:
    admin, password = env.admin
    await page.goto("/admin/login")
    await page.get_by_label("Email").fill(admin)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await page.goto("/admin/merchants")
    await page.get_by_label("Name").fill("Walker & Sons")
    await page.get_by_label("Email of its first member").fill(email)
    await page.get_by_role("button", name="Add and invite").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Walker & Sons")


async def _letter(env: UpEnvironment, email: str) -> str:
    async def arrived() -> str | None:
        for mail in await env.box.mail():
            if email in mail["to"] and (link := re.search(r"http://\S+/links/\S+", mail["text"])):
                return link[0]
        return None

    return str(await until(arrived, "the invitation arrives"))


async def _key(page: Page) -> dict[str, str]:
    await page.goto("/merchant/guide")
    await page.get_by_role("button", name="Make a test key").click()
    key, secret = page.locator("#issued-key"), page.locator("#issued-secret")
    await expect(page.locator("#code-order")).to_contain_text(await secret.inner_text())
    return {"X-Api-Key": await key.inner_text(), "X-Api-Secret": await secret.inner_text()}


async def _paid(env: UpEnvironment, head: dict[str, str]) -> Any:
    """A payment by API, as the guide's snippets make it."""
    order = (
        await env.http.post(
            "/api/v1/orders", json={"amount": "20.00", "currency": "USD", "reference": "walk-1"}, headers=head
        )
    ).json()
    asked = {"order_id": order["id"], "method": "upi", "upi": {"vpa": "success@test"}, "metadata": {"test_delay": "0"}}
    payment = (await env.http.post("/api/v1/payments", json=asked, headers=head)).json()

    async def ended() -> Any:
        found = (await env.http.get(f"/api/v1/payments/{payment['id']}", headers=head)).json()
        return found if found["status"] == "success" else None

    return await until(ended, "the payment is played")


async def _endpoint(page: Page, env: UpEnvironment) -> None:
    await page.goto("/merchant/endpoints")
    await page.get_by_label("URL").fill(f"{env.url.replace('127.0.0.1', 'localhost')}/nowhere")
    await page.get_by_role("button", name="Add the endpoint").click()
    await expect(page.locator("#endpoint-secret")).to_contain_text("whsec_")
    await page.get_by_role("button", name="Send a test event").click()
    await expect(page.get_by_role("row").filter(has_text="endpoint.test")).to_be_visible()


async def a_member_sets_up_is_paid_refunds_half_and_finds_it_in_the_log(env: UpEnvironment, invite: Invite) -> None:
    email = "walker@example.test"
    boss, visitor = await invite(), await invite()
    page = visitor.page
    await _founded(boss.page, env, email)
    await page.goto(await _letter(env, email))
    await page.get_by_role("button", name="Join the team").click()
    await expect(page.get_by_text("Test mode")).to_be_visible()
    head = await _key(page)
    await _endpoint(page, env)
    payment = await _paid(env, head)
    await page.goto(f"/merchant/payments/{payment['id']}")
    await page.get_by_label("Amount, up to $20.00").fill("10")
    await page.get_by_label("Reason").fill("Half of it came back")
    await page.get_by_role("button", name="Refund…").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Refund $10.00?")
    await page.get_by_role("button", name="Refund $10.00").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Refund of $10.00")

    async def back() -> bool:
        await page.reload()
        return await page.locator(".admin-head .badge").inner_text() == "Sent"

    await until(back, "the refund is played back", seconds=30)
    await page.goto(f"/merchant/deliveries?q={payment['order_id']}")
    for event in ("payment.pending", "payment.success", "order.paid", "order.fulfilled", "refund.processed"):
        await expect(page.get_by_role("row").filter(has_text=event)).to_be_visible()
    await page.get_by_role("row").filter(has_text="order.paid").get_by_role("link").click()
    await expect(page.locator("#payload-text")).to_contain_text("walk-1")
    await expect(page.locator(".attempt").first).to_contain_text("404")
    await _fits(visitor, payment)
    await _on_a_phone(invite, visitor, payment)
    await _switches(page)


async def _fits(visitor: Visitor, payment: Any) -> None:
    for part in (*PAGES, f"/payments/{payment['id']}", f"/orders/{payment['order_id']}"):
        await visitor.goes_to(f"/merchant{part}")
        await expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()


async def _on_a_phone(invite: Invite, visitor: Visitor, payment: Any) -> None:
    phone = await invite(**PHONE, color_scheme="dark")
    await phone.context.add_cookies(await visitor.context.cookies())  # type: ignore[arg-type]
    await _fits(phone, payment)


async def _switches(page: Page) -> None:
    """To live mode and back: nothing of the one is seen in the other."""
    await page.goto("/merchant/payments")
    await expect(page.get_by_role("row")).to_have_count(2)
    await page.get_by_role("button", name="Live").click()
    await expect(page.get_by_text("Live mode")).to_be_visible()
    await expect(page.get_by_text("No payments here")).to_be_visible()
    await page.get_by_role("button", name="Test", exact=True).click()
    await expect(page.get_by_role("row")).to_have_count(2)


@stories(a_member_sets_up_is_paid_refunds_half_and_finds_it_in_the_log)
async def test_on_the_merchants_pages(told: Told, story: Story) -> None:
    await told[story]
