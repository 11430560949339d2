"""The way of one purchase, as a person at a desktop computer takes it."""

import asyncio
import re

from playwright.async_api import Page, expect

from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Invite, Visitor
from tests.journeys.shopper import supplied

COPYING = ["clipboard-read", "clipboard-write"]


async def _total(env: UpEnvironment, query: str) -> int:
    answer = await env.http.get(f"/?{query}", headers={"Accept": "application/json"})
    return int(answer.json()["total"])


async def test_search_filter_and_sort_live_in_the_address_and_back_undoes_them(
    env: UpEnvironment, invite: Invite
) -> None:
    visitor = await invite()
    page = visitor.page
    await visitor.goes_to("/")
    said = page.locator("#results").get_by_role("status")
    await expect(said).to_contain_text(f"{await _total(env, '')} games")
    await page.get_by_role("searchbox", name="Search games").press_sequentially("in")
    found = await _total(env, "q=in")
    await expect(said).to_have_text(re.compile(rf"^{found} games for “in”"))
    await expect(page).to_have_url(f"{env.url}/?q=in")
    await page.locator("label.pill", has_text="Steam").click()
    fewer = await _total(env, "q=in&platform=Steam")
    assert 0 < fewer < found
    await expect(said).to_have_text(re.compile(rf"^{fewer} games? for “in”"))
    await expect(page.locator("#results").get_by_role("listitem")).to_have_count(fewer)
    await page.get_by_label("Sort by").select_option("price")
    await expect(page).to_have_url(re.compile("sort=price"))
    prices = page.locator(".card-price")

    async def amounts() -> list[float]:
        return [float(re.sub(r"[^\d.]", "", text)) for text in await prices.all_inner_texts()]

    await expect(prices.first).to_be_visible()
    assert await amounts() == sorted(await amounts())
    address = page.url
    await page.reload()
    assert page.url == address
    await expect(said).to_have_text(re.compile(rf"^{fewer} games? for “in”"))
    await expect(page.get_by_role("searchbox", name="Search games")).to_have_value("in")
    # Not by Playwright's own Back, which wants no page to load itself anew.
    await page.evaluate("history.go(-2)")
    await expect(page).to_have_url(f"{env.url}/?q=in")
    await expect(said).to_have_text(re.compile(rf"^{found} games for “in”"))
    await page.evaluate("history.back()")
    await expect(page).to_have_url(re.compile(r"/(\?q=i)?$"))


async def _put_in_cart(visitor: Visitor, product: dict[str, str]) -> None:
    page = visitor.page
    await visitor.goes_to("/")
    await page.get_by_role("searchbox", name="Search games").fill(product["name"])
    card = page.locator(f'#results a[href="/products/{product["slug"]}"]').first
    await card.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text(product["name"])
    await visitor.fits()
    await page.get_by_role("button", name="Add to cart").click()
    await expect(page).to_have_url(re.compile("/cart$"))


async def _check_out(visitor: Visitor) -> None:
    page = visitor.page
    await expect(page.locator("#cart-count")).to_have_text("2")
    await expect(page.locator(".line")).to_have_count(2)
    await page.get_by_role("link", name="Go to checkout").click()
    email = page.get_by_label("Email", exact=True)
    await email.fill("delivered+journey@gmial.com")
    await email.blur()
    await page.get_by_role("button", name="delivered+journey@gmail.com").click()
    await expect(email).to_have_value("delivered+journey@gmail.com")
    await page.get_by_role("radio", name="Litecoin").check()
    await visitor.fits()
    await page.get_by_role("button", name="Place order").click()


async def _sees_what_to_pay(visitor: Visitor) -> None:
    page = visitor.page
    await expect(page.get_by_role("heading", name="Send your payment")).to_be_visible()
    await expect(page).to_have_title(re.compile("^Waiting for payment · Order [0-9A-F]{8}"))
    await visitor.favicon("waiting")
    address = (await page.locator("#pay-address").inner_text()).strip()
    amount = (await page.locator("#pay-amount").inner_text()).split()
    assert re.fullmatch(r"\d+\.\d+", amount[0])
    assert amount[1] == "LTC"
    await expect(page.get_by_role("img", name="QR code")).to_be_visible()
    for name, wanted in (("Copy address", address), ("Copy amount", amount[0])):
        await page.get_by_role("button", name=name).click()
        await expect(page.locator("[data-copied]").get_by_text("Copied").last).to_be_visible()
        await visitor.has_copied(wanted)
    held = page.locator("[data-expires-in]")
    first = await held.inner_text()
    assert re.fullmatch(r"19:\d\d|20:00", first)
    await expect(held).not_to_have_text(first)


async def _play(panel: Page, payment: str, case: str) -> None:
    card = panel.locator(f"#p{payment}")
    await card.get_by_text("More cases").click()
    await card.get_by_label("Case").select_option(case)
    await card.get_by_role("button", name="Play").click()
    await expect(panel.get_by_role("status")).to_contain_text("on the way")


async def test_two_games_bought_paid_in_the_panel_revealed_once_and_logged(env: UpEnvironment, invite: Invite) -> None:
    slow, quick = await env.products(2)
    # One of the two comes a moment after its payment, so that "getting your key" can be seen.
    await env.box.set_product(slow["supplier_product_id"], delay="1.5")
    visitor = await invite(permissions=COPYING)
    page = visitor.page
    await _put_in_cart(visitor, slow)
    await _put_in_cart(visitor, quick)
    await _check_out(visitor)
    await _sees_what_to_pay(visitor)
    order_id = page.url.rsplit("/", 1)[1]
    payment = await env.rows("SELECT provider_payment_id FROM payment WHERE order_id = $1::uuid", order_id)

    panel = await visitor.context.new_page()
    await panel.goto(f"{env.sandbox_url}/sandbox")
    await _play(panel, payment[0]["provider_payment_id"], "confirming")
    await expect(page.get_by_role("heading", name="Payment seen, waiting for confirmations")).to_be_visible()
    await expect(page).to_have_title(re.compile("^Confirming payment"))
    await visitor.favicon("working")
    await expect(page.locator(".stepper [aria-current=step]")).to_contain_text("Confirm")
    await panel.locator(f"#p{payment[0]['provider_payment_id']}").get_by_role("button", name="Pay in full").click()
    await asyncio.gather(
        expect(panel.get_by_role("status")).to_contain_text("on the way"),
        expect(page.get_by_role("heading", name="Paid. Getting your key")).to_be_visible(),
    )
    await panel.close()
    await expect(page).to_have_title(re.compile("^Getting your key"))
    await expect(page).to_have_url(re.compile("/success$"))
    await env.box.set_product(slow["supplier_product_id"], delay="")
    await expect(page).to_have_title(re.compile("^Your keys are ready"))
    # Revealed sooner, a key would come on a page of its own, as without scripts.
    await page.wait_for_load_state()
    await visitor.favicon("done")
    await visitor.fits()

    bought = await supplied(env, order_id)
    serials = {o["products"][0]["productId"]: o["keys"][0]["serial"] for o in bought}
    text = await page.locator("main").inner_text()
    assert not any(serial in text for serial in serials.values()), "no key stands there before its reveal"
    for product in (slow, quick):
        serial = serials[product["supplier_product_id"]]
        card = page.get_by_role("article").filter(has_text=product["name"])
        await card.get_by_role("button", name="Reveal key").click()
        await expect(card.locator(".key-value")).to_have_text(serial)
        await expect(card).to_contain_text("Revealed just now for the first time")
        await expect(card.get_by_role("group", name="Your key")).to_be_focused()
        await card.get_by_role("button", name="Copy key").click()
        await expect(card.locator("[data-copied]")).to_have_count(1)
        await visitor.has_copied(serial)

    await page.reload()
    await expect(page.get_by_role("button", name="Show again")).to_have_count(2)
    text = await page.locator("main").inner_text()
    assert text.count("First revealed") == 2
    assert not any(serial in text for serial in serials.values()), "a key is shown once, not at every look"
    await page.get_by_role("link", name="Access log").click()
    await expect(page.get_by_role("heading", name="Access log")).to_be_visible()
    lines = page.get_by_role("row").filter(has_text="Key revealed")
    await expect(lines).to_have_count(2)
    await expect(lines.first).to_contain_text("127.0.0.1")
    await visitor.goes_to("/cart")
    await expect(page.get_by_role("heading", name="Your cart is empty")).to_be_visible()
