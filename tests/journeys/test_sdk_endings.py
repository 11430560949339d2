"""Each ending of a checkout calls exactly one of the three callbacks, with a reason, and leaves the page as it was."""

import pytest
from playwright.async_api import Page, Route, expect

from dev.environment import until
from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Visitor
from tests.journeys.merchant_pages import Site, calls
from tests.journeys.samples import pays

SCROLLS = "getComputedStyle(document.documentElement).overflow"


def script(site: Site) -> str:
    return f'<script src="{site.env.url}/checkout.js"></script>'


async def opened(site: Site, page: Page, order_id: str, **more: str) -> None:
    await site.shows(page, order_id, script(site), **more)
    await page.get_by_role("button", name="Pay").click()
    await expect(page.locator("bitloot-checkout dialog")).to_be_visible()


async def told(page: Page) -> list[list[object]]:
    """What was told once anything was, and still only that once the dialog is closed and the server was asked again."""
    await until(lambda: page.evaluate("window.calls?.length"), "the page is told")
    if await page.locator("bitloot-checkout").count():
        await page.get_by_role("button", name="Close the checkout").click()
        await expect(page.locator("bitloot-checkout")).to_have_count(0)
    for _ in range(3):  # what the dialog asked when it was closed is answered by then
        await page.evaluate("fetch(document.querySelector('script[src]').src, { cache: 'no-store' }).then(() => 0)")
    return await calls(page)


async def test_a_wrong_key_is_told_as_refused(site: Site, customer: Visitor) -> None:
    customer.expects("status of 404|^answer 404")
    page = customer.page
    await opened(site, page, await site.order(), key="pk_test_nobodys")
    assert await told(page) == [["failure", "unknown", False, None, "refused"]]


async def test_a_secret_order_of_another_is_told_as_refused(site: Site, customer: Visitor) -> None:
    customer.expects("status of 404|^answer 404")
    page = customer.page
    await opened(site, page, "01234567-89ab-7def-8123-456789abcdef")
    assert await told(page) == [["failure", "unknown", False, None, "refused"]]


async def test_an_order_cancelled_before_is_told_at_once(site: Site, customer: Visitor) -> None:
    page, order_id = customer.page, await site.order()
    await site.api("POST", f"/orders/{order_id}/cancel", {})
    await opened(site, page, order_id)
    assert await told(page) == [["failure", "cancelled", False, None, "order_cancelled"]]


async def test_an_order_cancelled_under_the_open_dialog_is_told(site: Site, customer: Visitor) -> None:
    page, order_id = customer.page, await site.order()
    await opened(site, page, order_id)
    await expect(site.frame(page).get_by_role("radio", name="Card")).to_be_visible()
    assert await calls(page) == []
    await site.api("POST", f"/orders/{order_id}/cancel", {})
    assert await told(page) == [["failure", "cancelled", False, None, "order_cancelled"]]


async def test_a_refunded_order_is_told(site: Site, customer: Visitor) -> None:
    page, order_id = customer.page, await site.order()
    asked = {"order_id": order_id, "method": "upi", "upi": {"vpa": "success@test"}}
    payment = await site.api("POST", "/payments", asked)

    async def stands(path: str, status: str) -> bool:
        return bool((await site.api("GET", path))["status"] == status)

    await until(lambda: stands(f"/payments/{payment['id']}", "success"), "it is paid")
    await site.api("POST", f"/payments/{payment['id']}/refunds", {"reason": "all of it"})
    await until(lambda: stands(f"/orders/{order_id}", "refunded"), "it is refunded")
    await opened(site, page, order_id)
    (call,) = await told(page)
    assert (call[0], call[1], call[2], call[4]) == ("failure", "refunded", False, "order_refunded")


async def test_closed_with_nothing_under_way_is_told_as_closed(site: Site, customer: Visitor) -> None:
    page = customer.page
    await opened(site, page, await site.order())
    await expect(site.frame(page).get_by_role("radio", name="Card")).to_be_visible()
    await page.get_by_role("button", name="Close the checkout").click()
    assert await told(page) == [["close", "created", False, None, "closed"]]


async def test_closed_in_the_middle_of_a_payment_that_is_declined_the_page_is_told_so(
    site: Site, customer: Visitor
) -> None:
    page = customer.page
    await opened(site, page, await site.order())
    frame = site.frame(page)
    await pays(frame, "Card", "4000 0000 0000 0002")
    await expect(frame.locator("[data-phase=processing]")).to_be_visible()
    await page.get_by_role("button", name="Close the checkout").click()
    assert await told(page) == [["failure", "waiting", False, "failed", "declined"]]


async def test_coins_that_are_too_few_are_told(site: Site, customer: Visitor) -> None:
    page = customer.page
    await opened(site, page, await site.order(metadata={"test": "underpaid"}))
    frame = site.frame(page)
    await frame.get_by_role("radio", name="Crypto").check()
    await frame.get_by_role("button", name="Show where to pay").click()
    await page.get_by_role("button", name="Close the checkout").click()
    assert await told(page) == [["failure", "underpaid", False, "underpaid", "underpaid"]]


async def test_another_checkout_takes_the_place_of_the_first(site: Site, customer: Visitor) -> None:
    page = customer.page
    await opened(site, page, await site.order())
    await expect(site.frame(page).get_by_role("radio", name="Card")).to_be_visible()
    await page.evaluate("window.checkout(PaymentGateway).open()")
    await until(lambda: page.evaluate("window.calls?.length"), "the first is told")
    await expect(page.locator("bitloot-checkout")).to_have_count(1)
    assert await calls(page) == [["close", "created", False, None, "replaced"]]


async def test_with_the_gateway_out_of_reach_it_says_so_and_closing_is_told_as_unreachable(
    site: Site, customer: Visitor
) -> None:
    customer.expects("ERR_CONNECTION_REFUSED")
    page = customer.page

    async def refuse(route: Route) -> None:
        await route.abort("connectionrefused")

    await page.route("**/embed/**", refuse)
    await opened(site, page, await site.order())
    await expect(page.get_by_text("The checkout can’t be reached just now. Trying again…")).to_be_visible()
    assert await calls(page) == []
    await page.get_by_role("button", name="Close the checkout").click()
    await until(lambda: page.evaluate("window.calls?.length"), "the page is told")
    assert await calls(page) == [["close", "unknown", False, None, "unreachable"]]


REPLACED = {
    "its text": "document.body.innerHTML = '<button id=pay>New</button>'",
    "its body": "document.body = document.createElement('body')",
    "all of it": "document.documentElement.replaceChildren(document.createElement('body'))",
    "our element alone": "document.querySelector('bitloot-checkout').remove()",
}


@pytest.mark.parametrize("part", REPLACED)
async def test_a_page_that_replaces_itself_under_the_dialog_scrolls_again_and_may_open_it_again(
    part: str, site: Site, customer: Visitor
) -> None:
    page = customer.page
    await opened(site, page, await site.order())
    await expect(site.frame(page).get_by_role("radio", name="Card")).to_be_visible()
    assert await page.evaluate(SCROLLS) == "hidden"
    await page.evaluate(f"window.first = document.querySelector('bitloot-checkout'); {REPLACED[part]}; 0")
    await until(lambda: page.evaluate(f"{SCROLLS} === 'visible'"), "it scrolls again")
    await until(lambda: page.evaluate("window.calls?.length"), "the page is told")
    assert await calls(page) == [["close", "created", False, None, "removed"]]
    await page.evaluate("window.checkout(PaymentGateway).open()")
    await expect(site.frame(page).get_by_role("radio", name="Card")).to_be_visible()
    assert await page.evaluate(SCROLLS) == "hidden"


async def test_replaced_in_the_middle_of_a_payment_the_page_is_told_how_that_ended(
    site: Site, customer: Visitor
) -> None:
    page = customer.page
    await opened(site, page, await site.order())
    frame = site.frame(page)
    await pays(frame, "Card", "4242 4242 4242 4242")
    await expect(frame.locator("[data-phase=processing]")).to_be_visible()
    await page.evaluate(REPLACED["its text"])
    await until(lambda: page.evaluate("window.calls?.length"), "the page is told")
    assert await calls(page) == [["success", "fulfilled", True, "success", "paid"]]


async def test_a_page_that_isolates_itself_shows_the_checkout_all_the_same(site: Site, customer: Visitor) -> None:
    page = customer.page
    isolated = {"cross_origin_embedder_policy": "require-corp", "cross_origin_opener_policy": "same-origin"}
    await opened(site, page, await site.order(), **isolated)
    assert await page.evaluate("crossOriginIsolated") is True
    await pays(site.frame(page), "Card", "4242 4242 4242 4242")
    assert await told(page) == [["success", "fulfilled", True, "success", "paid"]]


async def test_a_page_that_lets_no_frame_in_gets_a_window_and_is_told_what_came_of_it(
    env: UpEnvironment, site: Site, customer: Visitor
) -> None:
    customer.expects("frame-src|violates the following Content Security Policy")
    page = customer.page
    policy = f"frame-src 'none'; connect-src {env.url}"
    await opened(site, page, await site.order(), content_security_policy=policy)
    await expect(page.get_by_text("The checkout can’t be shown in this page.")).to_be_visible()
    async with customer.context.expect_page() as window:
        await page.get_by_role("link", name="Open the checkout").click()
    shown = await window.value
    await shown.get_by_role("radio", name="Card", exact=True).check()
    await shown.get_by_role("button", name="4242 4242 4242 4242").click()
    await shown.get_by_role("button", name="Pay $").locator("visible=true").click()
    await expect(shown.get_by_role("heading", name="Paid", exact=True)).to_be_visible()
    await until(lambda: page.evaluate("window.calls?.length"), "the page is told")
    assert await calls(page) == [["success", "fulfilled", True, "success", "paid"]]
    await expect(page.locator("bitloot-checkout")).to_have_count(0)


async def test_a_page_whose_policy_forbids_to_ask_the_gateway_is_told_so(
    env: UpEnvironment, site: Site, customer: Visitor
) -> None:
    customer.expects("connect-src|Refused to connect|violates the following Content Security Policy|ERR_")
    page = customer.page
    policy = f"frame-src {env.url}; connect-src 'none'"
    await opened(site, page, await site.order(), content_security_policy=policy)
    await until(lambda: page.evaluate("window.calls?.length"), "the page is told")
    await page.get_by_role("button", name="Close the checkout").click()
    assert await calls(page) == [["failure", "unknown", False, None, "blocked"]]
