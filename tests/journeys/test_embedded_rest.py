"""Less arrived than was asked: the rest is paid in the merchant's page, and the frame says what is asked."""

from playwright.async_api import expect

from dev.environment import until
from tests.journeys.browsing import Visitor
from tests.journeys.merchant_pages import Site, calls


async def test_the_rest_of_an_underpaid_order_is_paid_inside_the_frame(site: Site, customer: Visitor) -> None:
    page, order_id = customer.page, await site.order(metadata={"test": "underpaid"})
    await site.shows(page, order_id, f'<script src="{site.env.url}/checkout.js"></script>')
    await page.get_by_role("button", name="Pay").click()
    frame = site.frame(page)
    await frame.get_by_role("radio", name="Crypto").check()
    await frame.get_by_role("button", name="Show where to pay").click()
    await expect(frame.get_by_role("heading", name="Part of the payment is missing")).to_be_visible()
    await frame.get_by_role("button", name="Pay the rest").click()
    await expect(frame.get_by_role("heading", name="How do you want to pay the rest?")).to_be_visible()
    await expect(frame.get_by_text("$12.00 of $24.00 has arrived.")).to_be_visible()
    await expect(frame.get_by_role("button", name="Pay $24.00").locator("visible=true")).to_have_count(0)
    await frame.get_by_role("radio", name="Card", exact=True).check()
    await frame.get_by_role("button", name="4242 4242 4242 4242").click()
    await frame.get_by_role("button", name="Pay $12.00").locator("visible=true").click()
    await expect(frame.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    await until(lambda: page.evaluate("(window.calls ?? []).some((call) => call[0] === 'success')"), "success is told")
    assert [call[0] for call in await calls(page)].count("success") == 1
    order = await site.api("GET", f"/orders/{order_id}")
    assert order["status"] == "fulfilled"
    payments = (await site.api("GET", f"/payments?order_id={order_id}"))["data"]
    assert [(it["method"], it["amount"], it["captured"]) for it in payments] == [
        ("card", "12.00", "12.00"), ("crypto", "24.00", "12.00"),
    ]  # fmt: skip
