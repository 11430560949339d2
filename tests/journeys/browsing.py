"""A visitor: a browser context of its own, whose pages must not complain of anything.

A plugin for pytest, as ``tests.environment`` is. A missing browser is a failure, not a skip.
"""

import asyncio
import contextlib
import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    Route,
    WebError,
    async_playwright,
    expect,
)
from playwright.async_api import Error as Interrupted

from dev.up_environment import UpEnvironment

expect.set_options(timeout=20_000)
# The address bar's popup is a page of its own for each window, which nobody sees here: half of what a window costs.
# The last list counts, so Playwright's own stands here again.
LEFT_OUT = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup",
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
)  # fmt: skip
ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", f"--disable-features={','.join(LEFT_OUT)}",
]  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESKTOP = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2}
TELL_VIOLATIONS = """document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`))"""
OVERFLOW = """() => {
  const root = document.documentElement;
  const scrolled = (it) => {
    for (let box = it; box && box !== document.body; box = box.parentElement)
      if (getComputedStyle(box).overflowX !== 'visible' || getComputedStyle(box).position === 'fixed') return true;
    return false;
  };
  const wide = [...document.querySelectorAll('body *')].filter((it) => {
    const box = it.getBoundingClientRect();
    return box.width > 0 && box.right > root.clientWidth + 1 && !scrolled(it);
  });
  return [root.scrollWidth - root.clientWidth, wide.map((it) => `${it.tagName}.${it.className}`).slice(0, 5)];
}"""


class Visitor:
    """One person with one browser. Whatever its pages complain of is kept, and fails the test at its end."""

    def __init__(self, env: UpEnvironment, context: BrowserContext, page: Page) -> None:
        self.env, self.context, self.page = env, context, page
        self.complaints: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        context.on("console", self._said)
        context.on("weberror", self._broke)
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)

    @classmethod
    async def arrives(cls, env: UpEnvironment, browser: Browser, **options: Any) -> "Visitor":
        context = await browser.new_context(base_url=env.url, **{**DESKTOP, **options})
        await context.add_init_script(TELL_VIOLATIONS)
        return cls(env, context, await context.new_page())

    def expects(self, pattern: str) -> None:
        """A complaint that is part of the story."""
        self._expected.append(re.compile(pattern))

    def _complain(self, words: str) -> None:
        self.complaints.append(words)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning", "assert"}:
            where = message.location
            self._complain(f"console {message.type}: {message.text} ({where.get('url')})")

    def _broke(self, error: WebError) -> None:
        self._complain(f"page error: {error.error}")

    def _failed(self, request: Request) -> None:
        # What the page itself gave up, by leaving or by asking again, did not fail.
        if request.failure != "net::ERR_ABORTED":
            self._complain(f"failed request: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._complain(f"answer {response.status}: {response.url}")

    @property
    def unexpected(self) -> list[str]:
        """Complaints that no test has announced."""
        return [said for said in self.complaints if not any(pattern.search(said) for pattern in self._expected)]

    async def goes_to(self, path: str) -> None:
        """Open a page of the shop, and look whether it fits its window."""
        await self.page.goto(path)
        await self.fits()

    async def fits(self) -> None:
        """Nothing stands out of the window to the right."""
        too_wide, culprits = await self.page.evaluate(OVERFLOW)
        assert too_wide <= 0, f"{self.page.url} is {too_wide} px too wide"
        assert culprits == [], f"{self.page.url}: {culprits}"

    async def favicon(self, state: str) -> None:
        """The tab's icon shows ``state``."""
        await expect(self.page.locator(f'link[rel="icon"][href*="favicon-{state}"]')).to_have_count(1)

    async def has_copied(self, text: str) -> None:
        """The clipboard holds ``text``, once the browser has written it."""
        await self.page.wait_for_function("async (text) => await navigator.clipboard.readText() === text", arg=text)

    async def never_polls(self) -> None:
        """No time passes for its scripts, so no poll is ever due: what a page learns, it learns otherwise."""
        await self.context.add_init_script("{ const now = Date.now(); Date.now = () => now; }")

    async def lacks(self, pattern: str) -> asyncio.Event:
        """What matches the pattern, once, stays on its way to the page until the event is set."""
        come = asyncio.Event()

        async def later(route: Route) -> None:
            await come.wait()
            await route.continue_()

        await self.page.route(pattern, later, times=1)
        return come

    async def leaves(self) -> None:
        """Close every window. Chromium forgets to, for ever, where one is just about to show another page."""
        for page in self.context.pages:
            with contextlib.suppress(Interrupted):  # it has shown the other page now
                await page.goto("about:blank")
        await self.context.close()


Invite = Callable[..., Awaitable[Visitor]]
Story = Callable[[UpEnvironment, Invite], Awaitable[None]]
Told = dict[Story, "asyncio.Task[None]"]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all; each visitor gets a fresh context in it."""
    async with async_playwright() as playwright:
        own = playwright.chromium.executable_path
        program = next(filter(None, map(shutil.which, NAMES)), own if Path(own).exists() else None)
        assert program, "No Chromium: put one on PATH, or `.venv/bin/playwright install --with-deps chromium`"
        browser = await playwright.chromium.launch(executable_path=program, args=ARGS)
        yield browser
        await browser.close()


class Guests:
    """The visitors of one test; at its end none of their pages may have complained of anything unannounced."""

    def __init__(self, env: UpEnvironment, browser: Browser) -> None:
        self._env, self._browser = env, browser
        self._all: list[Visitor] = []

    async def invite(self, **options: Any) -> Visitor:
        self._all.append(await Visitor.arrives(self._env, self._browser, **options))
        return self._all[-1]

    async def leave(self) -> None:
        for guest in self._all:
            await guest.leaves()

    def complaints(self) -> list[str]:
        return [said for guest in self._all for said in guest.unexpected]


@pytest.fixture
async def invite(env: UpEnvironment, chromium: Browser) -> AsyncIterator[Invite]:
    """Brings visitors."""
    guests = Guests(env, chromium)
    yield guests.invite
    await guests.leave()
    found = guests.complaints()
    assert not found, found


def stories(*told: Story) -> pytest.MarkDecorator:
    """A test for each story, which its name tells."""
    return pytest.mark.parametrize("story", told, ids=lambda story: story.__name__)


@pytest.fixture(scope="module")
async def told(request: pytest.FixtureRequest, env: UpEnvironment, chromium: Browser) -> AsyncIterator[Told]:
    """The stories among the selected tests of a file, all begun at once, since they wait more than they work.

    A test of one is ``@stories(...)`` and awaits its own.
    """
    items = [item for item in request.session.items if item.path == request.path]
    selected = [item.callspec.params for item in items if hasattr(item, "callspec")]

    async def tell(story: Story) -> None:
        guests = Guests(env, chromium)
        try:
            await story(env, guests.invite)
        finally:
            await guests.leave()
        found = guests.complaints()
        assert not found, found

    begun = {params["story"]: asyncio.create_task(tell(params["story"])) for params in selected if "story" in params}
    yield begun
    for task in begun.values():
        task.cancel()
    await asyncio.gather(*begun.values(), return_exceptions=True)
