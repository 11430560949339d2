"""The owner sells a key of their own beside a supplier's: made, imported, bought in one order, revealed."""

import re
import secrets

from playwright.async_api import expect

from dev.up_environment import UpEnvironment
from tests.journeys.browsing import Invite, Visitor
from tests.journeys.shopper import supplied

KEY = f"ATTIC-{secrets.token_hex(4).upper()}-0001"


async def _signed_in(visitor: Visitor, env: UpEnvironment) -> None:
    email, password = env.admin
    await visitor.goes_to("/admin/login")
    await visitor.page.get_by_label("Email").fill(email)
    await visitor.page.get_by_label("Password").fill(password)
    await visitor.page.get_by_role("button", name="Sign in").click()
    await expect(visitor.page).to_have_url(re.compile("/admin$"))


async def _makes_a_product(visitor: Visitor, name: str) -> None:
    page = visitor.page
    await page.get_by_role("navigation", name="Admin").get_by_role("link", name="Own stock").click()
    await expect(page).to_have_url(re.compile("/admin/own-stock$"))
    await visitor.fits()
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_label("Where the key is redeemed").fill("Steam")
    await page.get_by_label("Region").fill("Worldwide")
    await page.get_by_label("Price in").fill("14.50")
    await page.get_by_label("Tell me when fewer keys are left than").fill("2")
    await page.get_by_role("button", name="Add product").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)


async def _imports(visitor: Visitor) -> None:
    page = visitor.page
    await page.get_by_label("Keys, one on each line").fill(KEY)
    again = {"name": "again.csv", "mimeType": "text/csv", "buffer": f"Key\n{KEY}\n".encode()}
    await page.get_by_label("Or files").set_input_files([again])
    await page.get_by_role("button", name="Encrypt and import").click()
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page.locator("main")).to_contain_text("1 key is left. Import more.")
    assert KEY not in await page.content()
    await visitor.fits()


async def _puts_in_cart(visitor: Visitor, slug: str) -> None:
    await visitor.goes_to(f"/products/{slug}")
    await visitor.page.get_by_role("button", name="Add to cart").click()
    await expect(visitor.page).to_have_url(re.compile("/cart$"))


async def test_an_own_key_and_a_suppliers_are_bought_in_one_order_and_both_revealed(
    env: UpEnvironment, invite: Invite
) -> None:
    name = f"Attic Game {secrets.token_hex(3)}"
    owner, buyer = await invite(), await invite()
    await _signed_in(owner, env)
    await _makes_a_product(owner, name)
    await _imports(owner)
    (mine,) = await env.rows("SELECT slug FROM product WHERE name = $1", name)
    (theirs,) = await env.products(1)

    page = buyer.page
    await _puts_in_cart(buyer, mine["slug"])
    await _puts_in_cart(buyer, theirs["slug"])
    await page.get_by_role("link", name="Go to checkout").click()
    await page.get_by_label("Email", exact=True).fill("delivered+attic@resend.dev")
    await page.get_by_role("radio", name="Litecoin").check()
    await page.get_by_role("button", name="Place order").click()
    await expect(page.get_by_role("heading", name="Send your payment")).to_be_visible()
    order_id = page.url.rsplit("/", 1)[1]
    payment = await env.rows("SELECT provider_payment_id FROM payment WHERE order_id = $1::uuid", order_id)
    await env.box.pay(payment[0]["provider_payment_id"])
    await expect(page).to_have_title(re.compile("^Your keys are ready"))
    await page.wait_for_load_state()

    (bought,) = await supplied(env, order_id)
    for game, serial in ((name, KEY), (theirs["name"], bought["keys"][0]["serial"])):
        card = page.get_by_role("article").filter(has_text=game)
        await card.get_by_role("button", name="Reveal key").click()
        await expect(card.locator(".key-value")).to_have_text(serial)
    await buyer.fits()

    await owner.goes_to(f"/products/{mine['slug']}")
    await expect(owner.page.locator("main")).to_contain_text("Sold out")
    await owner.goes_to("/admin/issues")
    await expect(owner.page.locator("main")).to_contain_text(f"{name}: no key is left, so it is sold out.")
