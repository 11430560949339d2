"""The documentation in a browser: no complaint in its console, no serious finding of axe-core, no need for scripts."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.journeys.browsing import PHONE, Invite
from tests.journeys.test_reference import AXE, JUDGE

PAGES = (
    "/docs", "/docs/webhooks", "/docs/going-live", "/docs/glossary", "/docs/decisions", "/docs/decisions/docs-site",
    "/docs/errors", "/docs/errors/no_such_order", "/docs/events", "/docs/events/order.paid", "/api/docs/shop",
)  # fmt: skip


@pytest.mark.parametrize("look", [{}, {**PHONE, "color_scheme": "dark"}], ids=["desktop", "phone-dark"])
async def test_the_documentation_complains_of_nothing_fits_and_passes_axe(invite: Invite, look: dict[str, Any]) -> None:
    visitor = await invite(reduced_motion="reduce", **look)
    for path in PAGES:
        await visitor.goes_to(path)
        await visitor.page.evaluate(AXE)  # the debugger's own scripts stand under no content policy
        found: list[dict[str, Any]] = await visitor.page.evaluate(JUDGE)
        assert [one for one in found if one["impact"] in {"serious", "critical"}] == [], path
    assert visitor.complaints == []


async def test_without_scripts_a_phone_shows_the_text_first_and_a_link_leads_to_the_contents(invite: Invite) -> None:
    visitor = await invite(java_script_enabled=False, **PHONE)
    page = visitor.page
    await page.goto("/docs/webhooks")
    await expect(page.get_by_role("heading", name="Webhooks", level=1)).to_be_in_viewport()
    await page.get_by_role("link", name="Contents", exact=True).click()
    contents = page.get_by_role("navigation", name="Documentation")
    await expect(contents.get_by_role("link", name="Webhooks")).to_be_in_viewport()
    await contents.get_by_role("link", name="Errors", exact=True).click()
    await expect(page.get_by_role("heading", name="Errors of the API", level=1)).to_be_in_viewport()
    await contents.get_by_role("link", name="no_such_order", exact=True).click()
    await expect(page.get_by_role("heading", name="No such order", level=1)).to_be_in_viewport()
