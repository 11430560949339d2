"""The sample shop of ``examples/``, run as its reader would run it, on an origin of its own beside the shop's.

A plugin for pytest, as ``tests.environment`` is.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import FrameLocator, Page, expect

from dev.up_environment import UpEnvironment
from tests.conftest import ROOT, free_port, wait_for
from tests.journeys.browsing import Invite, Visitor


async def founded(env: UpEnvironment, *arguments: str) -> dict[str, str]:
    """A merchant of the shop's, with its keys; see ``new_merchant``."""
    command = [sys.executable, "-m", "tests.journeys.new_merchant", *arguments]
    variables = {"PATH": os.environ["PATH"], "BITLOOT_VAR": str(env.var), "PORT": str(env.port)}
    done = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


class Sample:
    """A running sample shop and the merchant behind it."""

    def __init__(self, env: UpEnvironment, port: int, merchant: dict[str, str], **more: str) -> None:
        self.env, self.port, self.merchant = env, port, merchant
        self.url = f"http://127.0.0.1:{port}"
        variables = {
            "PATH": os.environ["PATH"], "PORT": str(port), "BITLOOT_URL": env.url, "BITLOOT_KEY": merchant["key"],
            "BITLOOT_SECRET": merchant["secret"], "BITLOOT_PUBLISHABLE_KEY": merchant["publishable"],
            "BITLOOT_WEBHOOK_SECRET": merchant.get("webhook_secret", ""),
        }  # fmt: skip
        self._process = subprocess.Popen([sys.executable, "examples/shop.py"], cwd=ROOT, env=variables | more)
        wait_for(self.url, self._process)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    async def api(self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str) -> dict[str, Any]:
        """A call of the gateway's API with the merchant's key."""
        keys = {"x-api-key": self.merchant["key"], "x-api-secret": self.merchant["secret"]}
        answer = await self.env.http.request(method, f"/api/v1{path}", json=body, headers=keys | headers)
        assert answer.status_code < 300, answer.text
        return dict(answer.json())

    async def order(self, amount: str = "24.00") -> str:
        """An order of the merchant's, made by its server. Its id."""
        asked = {"amount": amount, "currency": "USD", "reference": f"S-{os.urandom(3).hex()}"}
        return str((await self.api("POST", "/orders", asked, **{"idempotency-key": os.urandom(8).hex()}))["id"])

    async def buys(self, page: Page) -> FrameLocator:
        """A customer goes from the shop's front page to the open checkout. Returns its frame."""
        await page.goto(self.url)
        await page.get_by_role("button", name="Buy").click()
        return await opened(page)


async def opened(page: Page) -> FrameLocator:
    """Press the shop's button and wait for the checkout's frame."""
    await page.get_by_role("button", name="Pay now").click()
    frame = page.frame_locator("iframe")
    await expect(frame.locator("#state")).to_be_visible()
    await uncovered(page)
    return frame


async def uncovered(page: Page) -> None:
    """The checkout is seen: until its script runs, the SDK's words cover it."""
    await expect(page.get_by_text("Opening the checkout…")).to_be_hidden()


async def pays(frame: FrameLocator, way: str, value: str) -> None:
    """Choose a way to pay, take a test value for it and send it."""
    await frame.get_by_role("radio", name=way, exact=True).check()
    await frame.get_by_role("button", name=value).click()
    await frame.get_by_role("button", name="Pay $").locator("visible=true").click()


async def paid(visitor: Visitor) -> None:
    """The shop's own server says that the order is paid."""
    await expect(visitor.page.get_by_role("heading", name="Thank you")).to_be_visible()


@pytest.fixture(scope="session")
async def sample(env: UpEnvironment) -> AsyncIterator[Sample]:
    """The sample shop on its own port, told by webhooks."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    made = Sample(env, port, await founded(env, url, f"{url}/webhooks"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
async def customer(invite: Invite) -> Visitor:
    return await invite()
