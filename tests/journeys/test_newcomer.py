"""A newcomer with the integration guide alone: invited, paid, told, half given back, and all of it in the logs."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.async_api import Page, expect

from dev.environment import until
from dev.up_environment import UpEnvironment
from tests.conftest import ROOT, free_port, wait_for
from tests.journeys.browsing import Invite
from tests.journeys.samples import opened, paid, pays

NEWCOMER = "delivered+newcomer@resend.dev"


async def _invited(env: UpEnvironment, page: Page) -> str:
    """An admin founds the merchant; returns the link of the letter."""
    email, password = env.admin
    await page.goto("/admin/login")
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_role("link", name="Merchants").first.click()
    await page.get_by_label("Name").fill("Newcomer & Co")
    await page.get_by_label("Email of its first member").fill(NEWCOMER)
    await page.get_by_role("button", name="Add and invite").click()
    await expect(page.get_by_role("heading", name="Newcomer & Co")).to_be_visible()

    async def link() -> str | None:
        letters = (await env.box.http.get("/sandbox/api/mail", params={"to": NEWCOMER})).json()
        links = [found for letter in letters for found in re.findall(r"https?://\S+/links/\S+", letter["text"])]
        return links[0] if links else None

    return str(await until(link, "the invitation is in the mailbox"))


async def _guided(page: Page, port: int) -> str:
    """What the guide says, done; returns its command for the sample shop, ready to run."""
    here = f"http://127.0.0.1:{port}"
    await page.get_by_role("link", name="Guide").click()
    await page.get_by_role("button", name="Make a test key and fill it in below").click()
    command = await page.locator("#code-sample").inner_text()
    await (
        page.get_by_role("region", name="Or see a complete sample first")
        .get_by_role("link", name="allowed origins")
        .click()
    )
    await page.get_by_label("Sites that may open the checkout").fill(here)
    await page.get_by_role("button", name="Save the origins").click()
    await expect(page.get_by_label("Sites that may open the checkout")).to_have_value(here)
    await page.get_by_role("link", name="Endpoints").first.click()
    await page.get_by_label("URL").fill(f"{here}/webhooks")
    await page.get_by_role("button", name="Add the endpoint").click()
    secret = await page.locator("#endpoint-secret").inner_text()
    assert secret.startswith("whsec_")
    assert "bls_…" not in command, "the guide's command holds the secret that was just made"
    return command.replace("whsec_…", secret).replace("PORT=8080", f"PORT={port}")


@contextmanager
def _running(command: str, port: int) -> Iterator[None]:
    """The command, as a person's shell runs it."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    shell = subprocess.Popen(["bash", "-c", f"exec env {command}"], cwd=ROOT / "examples", env={"PATH": path})
    try:
        wait_for(f"http://127.0.0.1:{port}", shell)
        yield
    finally:
        shell.terminate()
        shell.wait(10)


async def _verified(page: Page, shop: str, *types: str) -> None:
    """The shop's page lists these events as verified, and has refused none."""

    async def listed() -> bool:
        await page.goto(f"{shop}/events")
        rows = [await row.inner_text() for row in await page.get_by_role("row").all()]
        return all(any(row.startswith(type_) and row.endswith("verified") for row in rows) for type_ in types)

    await until(listed, f"the shop was told {types}")
    await expect(page.get_by_text("refused")).to_have_count(0)


async def test_by_the_guide_alone_a_payment_is_taken_told_half_refunded_and_found_in_the_logs(
    env: UpEnvironment, invite: Invite
) -> None:
    admin, merchant, customer = await asyncio.gather(invite(), invite(), invite())
    page, port = merchant.page, free_port()
    shop = f"http://127.0.0.1:{port}"
    await page.goto(await _invited(env, admin.page))
    await page.get_by_role("button", name="Join the team").click()
    await expect(page).to_have_url(re.compile("/merchant"))
    command = await _guided(page, port)
    with _running(command, port):
        await customer.page.goto(shop)
        await customer.page.get_by_role("button", name="Buy").click()
        reference = customer.page.url.rsplit("/", 1)[1]
        await pays(await opened(customer.page), "Card", "4242 4242 4242 4242")
        await paid(customer)
        await _verified(customer.page, shop, "payment.pending", "payment.success", "order.paid", "order.fulfilled")

        await page.get_by_role("link", name="Payments").first.click()
        row = page.get_by_role("row").filter(has_text=reference)
        await expect(row).to_contain_text("Paid")
        await row.get_by_role("link").click()
        await page.get_by_label("Amount, up to $24.00").fill("12.00")
        await page.get_by_label("Reason").fill("The frame was scratched")
        await page.get_by_role("button", name="Refund…").click()
        await page.get_by_role("button", name="Refund $12.00").click()
        await _verified(customer.page, shop, "refund.pending", "refund.processed")

    await page.get_by_role("link", name="Refunds").first.click()
    await page.get_by_role("row").filter(has_text="The frame was scratched").get_by_role("link").click()
    await expect(page.get_by_role("heading", name="Refund of $12.00")).to_be_visible()
    told = page.get_by_role("region", name="Events sent to your endpoints").get_by_role("row")
    await expect(told.filter(has_text="refund.processed").filter(has_text="Delivered")).to_have_count(1)
    await page.get_by_role("link", name="Deliveries").first.click()
    for type_ in ("payment.success", "order.paid", "order.fulfilled", "refund.pending", "refund.processed"):
        sent = page.get_by_role("row").filter(has_text=type_)
        await expect(sent).to_have_count(1)
        await expect(sent).to_contain_text("Delivered")
    await page.get_by_role("row").filter(has_text="payment.success").get_by_role("link").first.click()
    await expect(page.get_by_role("heading", name="payment.success")).to_be_visible()
    await expect(page.locator("#payload-text")).to_contain_text('"last4"')
    await expect(page.get_by_text("204").first).to_be_visible()
    await page.get_by_role("link", name="Orders").first.click()
    await page.get_by_role("row").filter(has_text=reference).get_by_role("link").first.click()
    await expect(page.get_by_text("Fulfilled").first).to_be_visible()
