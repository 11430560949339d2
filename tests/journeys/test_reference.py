"""The API's reference page in a browser: quiet, light, and free of what axe-core finds serious."""

from pathlib import Path
from typing import Any

from playwright.async_api import expect

from tests.journeys.browsing import PHONE, Invite
from tests.journeys.test_weight import _weigh

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
MOST = 100_000  # bytes on the wire, fonts aside
JUDGE = """async () => (await axe.run(document, { resultTypes: ["violations"] })).violations
  .map(({ id, impact, nodes }) => ({ id, impact, where: nodes.slice(0, 3).map((it) => it.target.join(" ")) }))"""
LOGGED = ("error", "warning")


async def test_the_reference_page_logs_nothing_weighs_little_and_passes_axe(invite: Invite) -> None:
    for options in ({}, {**PHONE, "color_scheme": "dark"}):
        visitor = await invite(reduced_motion="reduce", **options)
        page = visitor.page
        said: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text) if message.type in LOGGED else None)
        parts = await _weigh(visitor, "/api/docs")
        weight = sum(part["bytes"] for part in parts if part["kind"] != "Font")
        print(f"\nreference page: {weight} bytes in {len(parts)} answers")
        assert weight <= MOST
        await expect(page.get_by_role("heading", name="Create an order", exact=True)).to_be_visible()
        assert said == []
        await visitor.fits()
        await page.evaluate(AXE)  # the debugger's own scripts stand under no content policy
        found: list[dict[str, Any]] = await page.evaluate(JUDGE)
        assert [one for one in found if one["impact"] in {"serious", "critical"}] == []


async def test_without_scripts_the_reference_is_the_same(invite: Invite) -> None:
    visitor = await invite(java_script_enabled=False)
    await visitor.page.goto("/api/docs")
    parts = visitor.page.get_by_role("navigation", name="Parts of the reference")
    await parts.get_by_role("link", name="Refunds").click()
    await expect(visitor.page.get_by_role("heading", name="Refund a payment")).to_be_in_viewport()
