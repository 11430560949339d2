"""What a customer reads stays where it is while an order's state changes under it."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from dev.up_environment import UpEnvironment
from tests.journeys.browsing import DESKTOP, PHONE, Invite
from tests.journeys.shopper import Shopper

MOST = 0.05  # of the layout shift score (WICG Layout Instability), for each change of state
WATCH = """() => {
  window.shift = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
  }).observe({ type: "layout-shift" });
}"""
SETTLED = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
  const shift = window.shift;
  window.shift = 0;
  done(shift);
})))"""
SIZES = {"1280": DESKTOP, "390": PHONE}


async def opened(env: UpEnvironment, invite: Invite, size: str, scrolled: int) -> tuple[Shopper, Page]:
    """A fresh order's page in the state in which it asks for money, fonts and all."""
    shopper = await Shopper.orders(env)
    visitor = await invite(**SIZES[size])
    await visitor.context.add_cookies([shopper.cookie])  # type: ignore[list-item]
    await shopper.payment_id()
    await visitor.page.goto(shopper.page)
    await expect(visitor.page.locator("[data-phase=pay]")).to_have_count(1)
    await visitor.page.evaluate("() => document.fonts.ready.then(() => true)")
    await visitor.page.evaluate("(y) => window.scrollTo(0, y)", scrolled)
    await visitor.page.evaluate(WATCH)
    await visitor.page.evaluate(SETTLED)
    return shopper, visitor.page


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "changes",
    [
        [("confirming", "confirming")],
        [("partially_paid", "underpaid")],
        [("expired", "expired")],
        [("failed", "failed")],
    ],
    ids=["confirming", "underpaid", "expired", "failed"],
)
@pytest.mark.parametrize("scrolled", [0, 350])
async def test_a_change_of_state_moves_nothing_that_is_being_read(
    env: UpEnvironment, invite: Invite, size: str, changes: list[tuple[str, str]], scrolled: int
) -> None:
    shopper, page = await opened(env, invite, size, scrolled)
    for case, phase in changes:
        more: dict[str, Any] = {"fraction": "0.5"} if case == "partially_paid" else {}
        await shopper.pays(case, **more)
        await expect(page.locator(f"[data-phase={phase}]")).to_have_count(1)
        shift = await page.evaluate(SETTLED)
        assert shift <= MOST, f"{shift:.3f} when it became {phase} at {size} px"


async def test_an_order_cancelled_in_another_tab_moves_nothing_on_a_phone(env: UpEnvironment, invite: Invite) -> None:
    shopper, page = await opened(env, invite, "390", 0)
    answer = await env.http.post(f"/orders/{shopper.order_id}/cancellations", json={}, headers=shopper.bearer)
    assert answer.status_code == 200, answer.text
    await expect(page.locator("[data-phase=cancelled]")).to_have_count(1)
    assert await page.evaluate(SETTLED) <= MOST
