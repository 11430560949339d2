"""In a merchant's page, too, what is read stays where it is while the checkout's state changes."""

import pytest
from playwright.async_api import Frame, Page, expect

from tests.journeys.browsing import DESKTOP, PHONE, Invite
from tests.journeys.merchant_pages import Site
from tests.journeys.test_layout_shift import MOST, SETTLED, WATCH

SIZES = {"1280": DESKTOP, "390": PHONE}
CARD = {"method": "card", "card": {"number": "4242424242424242", "expiry": "12/34", "cvv": "123"}}
DECLINED = {"method": "card", "card": CARD["card"] | {"number": "4000000000000002"}}  # type: ignore[operator]
COINS = {"method": "crypto", "crypto": {"currency": "ltc"}}
WAYS = {  # what is paid with, and the phases that the frame then goes through
    "a card": (CARD, {}, ["processing", "paid"]),
    "a declined card": (DECLINED, {}, ["processing", "failed"]),
    "coins": (COINS, {}, ["pay", "confirming", "paid"]),
    "too few coins": (COINS, {"test": "underpaid"}, ["pay", "confirming", "short"]),
}


async def moved(page: Page, frame: Frame) -> float:
    """How much moved since the last look, in the merchant's page or in the frame, whichever is more."""
    return max(await page.evaluate(SETTLED), await frame.evaluate(SETTLED))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", WAYS)
async def test_a_change_of_state_in_the_frame_moves_nothing_that_is_being_read(
    site: Site, invite: Invite, way: str, size: str
) -> None:
    body, metadata, phases = WAYS[way]
    order_id, page = await site.order(metadata=metadata), (await invite(**SIZES[size])).page
    await site.shows(page, order_id, f'<script src="{site.env.url}/checkout.js"></script>')
    await page.get_by_role("button", name="Pay").click()
    await expect(site.frame(page).get_by_role("radio", name="Card")).to_be_visible()
    frame = next(it for it in page.frames if "/embed/checkout" in it.url)
    for place in (page, frame):
        await place.evaluate("() => document.fonts.ready.then(() => true)")
        await place.evaluate(WATCH)
    await moved(page, frame)
    await site.api("POST", "/payments", {"order_id": order_id, "metadata": {"test_delay": "3000"}, **body})
    for phase in phases:
        await expect(site.frame(page).locator(f"[data-phase={phase}]")).to_be_visible()
        shift = await moved(page, frame)
        assert shift <= MOST, f"{shift:.3f} when it became {phase} at {size} px"
