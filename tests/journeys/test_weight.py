"""What the first page weighs on the wire, and that nothing jumps while it loads."""

import gzip
from typing import Any

from playwright.async_api import Page, expect

from dev.up_environment import UpEnvironment
from tests.journeys.browsing import PHONE, Invite, Visitor
from tests.journeys.shopper import Shopper

PAGE_LIMIT = 100_000  # bytes on the wire, fonts aside
SCRIPT_LIMIT = 60_000  # bytes, gzipped
SHIFT_LIMIT = 0.05
SHIFTS = """new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((it) => { sum += it.hadRecentInput ? 0 : it.value; }))
    .observe({type: 'layout-shift', buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(sum), 0)));
})"""


async def _weigh(visitor: Visitor, path: str) -> list[dict[str, Any]]:
    """Each answer of a cold visit: its address, kind and bytes on the wire."""
    wire = await visitor.context.new_cdp_session(visitor.page)
    await wire.send("Network.enable")
    kinds: dict[str, dict[str, Any]] = {}
    wire.on(
        "Network.responseReceived",
        lambda e: kinds.__setitem__(e["requestId"], {"url": e["response"]["url"], "kind": e["type"], "bytes": 0}),
    )
    wire.on("Network.loadingFinished", lambda e: kinds[e["requestId"]].update(bytes=e["encodedDataLength"]))
    await visitor.page.goto(path, wait_until="networkidle")
    return list(kinds.values())


async def test_the_first_page_weighs_at_most_100_kb_and_its_scripts_60(env: UpEnvironment, invite: Invite) -> None:
    order = await Shopper.orders(env)
    await order.payment_id()
    for options in ({}, PHONE):
        visitor = await invite(**options)
        parts = await _weigh(visitor, "/")
        weight = sum(part["bytes"] for part in parts if part["kind"] != "Font")
        print(f"\nfirst page: {weight} bytes in {len(parts)} answers")
        assert weight <= PAGE_LIMIT, sorted(parts, key=lambda part: -part["bytes"])[:12]
        assert all(part["url"].startswith((env.url, "data:")) for part in parts), "nothing comes from elsewhere"
    # The order page brings the most scripts.
    await visitor.context.add_cookies([order.cookie])
    await visitor.page.goto(order.page)
    sources = await visitor.page.eval_on_selector_all("script[src]", "(all) => all.map((it) => it.src)")
    assert len(sources) == 7
    packed = [len(gzip.compress((await env.http.get(source)).content)) for source in sources]
    print(f"\nscripts of the order page: {sum(packed)} bytes gzipped")
    assert sum(packed) <= SCRIPT_LIMIT


async def _shift(page: Page) -> float:
    await page.evaluate("document.fonts.ready.then(() => true)")
    return float(await page.evaluate(SHIFTS))


async def test_nothing_jumps_while_a_page_loads(env: UpEnvironment, invite: Invite) -> None:
    product = (await env.products(1))[0]
    for options in ({}, PHONE):
        visitor = await invite(**options)
        page = visitor.page
        for path in ("/", f"/products/{product['slug']}"):
            await page.goto(path)
            assert await _shift(page) < SHIFT_LIMIT, path
        await page.get_by_role("button", name="Buy now").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Checkout")
        assert await _shift(page) < SHIFT_LIMIT
        await page.goto("/cart")
        assert await _shift(page) < SHIFT_LIMIT
