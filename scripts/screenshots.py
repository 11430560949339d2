"""Takes the README's pictures of a running shop: ``python scripts/screenshots.py http://127.0.0.1:8000``.

It buys two games on the way, so point it at a shop with a sandbox beside it (``make run``).
"""

import argparse
import asyncio
import re
import shutil
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

PICTURES = Path(__file__).parents[1] / "docs" / "screenshots"
README = Path(__file__).parents[1] / "README.md"
NAMED = set(re.findall(r"screenshots/([\w-]+)\.png", README.read_text()))
expect.set_options(timeout=20_000)
LARGEST = 300_000  # bytes a picture
SIZES = {1280: {"width": 1280, "height": 860}, 390: {"width": 390, "height": 844}}
BUYER = "ada@gmail.com"
WHOLE = {"checkout"}  # pages whose point lies below the fold


class Camera:
    """One visitor of one size and theme; each picture that the README shows is named after what it is of."""

    def __init__(self, context: BrowserContext, page: Page, width: int, theme: str) -> None:
        self.context, self.page, self._suffix = context, page, f"{width}-{theme}"

    @classmethod
    async def set_up(cls, browser: Browser, shop: str, width: int, theme: str) -> "Camera":
        context = await browser.new_context(
            base_url=shop, viewport=SIZES[width], color_scheme=theme, reduced_motion="reduce",
            is_mobile=width < 600, has_touch=width < 600,
        )  # fmt: skip
        return cls(context, await context.new_page(), width, theme)

    async def takes(self, name: str, page: Page | None = None) -> None:
        if f"{name}-{self._suffix}" not in NAMED:
            return  # nobody would see it
        page = page or self.page
        await page.evaluate("document.activeElement?.blur(); window.scrollTo(0, 0)")
        await page.evaluate("document.fonts.ready.then(() => true)")
        await page.wait_for_load_state("networkidle" if name in {"catalog", "product", "sandbox"} else "load")
        path = PICTURES / f"{name}-{self._suffix}.png"
        await page.screenshot(path=path, animations="disabled", full_page=name in WHOLE)
        size = path.stat().st_size
        if size > LARGEST:
            raise SystemExit(f"{path.name} has {size} bytes, more than {LARGEST}")
        print(f"  {path.name}  {size // 1000} kB")


async def pay_in_the_wrong_coin(browser: Browser, shop: str, sandbox: str) -> None:
    """An order that a person has to look at, for the admin's list."""
    page = await browser.new_page(base_url=shop)
    await page.goto("/")
    await page.locator(".grid a").nth(3).click()
    await page.get_by_role("button", name="Buy now").click()
    await page.get_by_label("Email", exact=True).fill("grace@gmail.com")
    await page.get_by_role("button", name="Place order").click()
    await expect(page.get_by_role("heading", name="Send your payment")).to_be_visible()
    await page.goto(f"{sandbox}/sandbox")
    await page.get_by_role("button", name="Wrong coin").first.click()
    await expect(page.get_by_role("status")).to_be_visible()
    await page.close()


async def shop_round(camera: Camera, sandbox: str) -> None:
    """From the catalog to the revealed key, with a picture at each stop."""
    page = camera.page
    await page.goto("/")
    await camera.takes("catalog")
    await page.locator(".grid a").nth(1).click()
    await expect(page.get_by_role("button", name="Add to cart")).to_be_visible()
    await camera.takes("product")
    await page.get_by_role("button", name="Add to cart").click()
    await page.goto("/")
    await page.locator(".grid a").nth(2).click()
    await page.get_by_role("button", name="Add to cart").click()
    await expect(page).to_have_url(re.compile("/cart$"))
    await page.goto("/checkout")
    await page.get_by_label("Email", exact=True).fill(BUYER)
    await page.get_by_role("radio", name="Litecoin").check()
    await camera.takes("checkout")
    await page.get_by_role("button", name="Place order").click()
    await expect(page.get_by_role("heading", name="Send your payment")).to_be_visible()
    await expect(page.locator("#status[data-stream=up]")).to_be_attached()
    await camera.takes("order")
    panel = await camera.context.new_page()
    await panel.goto(f"{sandbox}/sandbox")
    await camera.takes("sandbox", panel)
    await panel.get_by_role("button", name="Pay in full").first.click()
    await expect(page).to_have_url(re.compile("/success$"))
    await page.get_by_role("button", name="Reveal key").first.click()
    await expect(page.locator(".key-value")).to_have_count(1)
    await camera.takes("revealed")


async def admin_round(camera: Camera, email: str, password: str) -> None:
    page = camera.page
    await page.goto("/admin/login")
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Password").fill(password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    await camera.takes("admin")
    await page.goto("/admin/orders")
    await page.locator("a.row-link").first.click()
    await expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    await camera.takes("admin-order")


async def take_all(asked: argparse.Namespace) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        await pay_in_the_wrong_coin(browser, asked.shop, asked.sandbox)
        for width in SIZES:
            for theme in ("light", "dark"):
                camera = await Camera.set_up(browser, asked.shop, width, theme)
                await shop_round(camera, asked.sandbox)
                if asked.password:
                    await admin_round(camera, asked.email, asked.password)
                await camera.context.close()
        await browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shop", nargs="?", default="http://127.0.0.1:8000", help="the shop's address")
    parser.add_argument("--sandbox", default="http://127.0.0.1:8010", help="its sandbox's address")
    parser.add_argument("--email", default="admin@bitloot.localhost", help="an admin's email")
    parser.add_argument("--password", help="and password; without it no admin pages are taken")
    asyncio.run(take_all(parser.parse_args()))


if __name__ == "__main__":
    main()
