"""A merchant's site whose pages the tests write themselves: with what headers and scripts they like.

A plugin for pytest, as ``tests.environment`` is.
"""

import os
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.async_api import FrameLocator, Page

from dev.up_environment import UpEnvironment
from tests.journeys.samples import founded

NOTE = """const note = (name) => (it) =>
  (window.calls ??= []).push([name, it.status, it.paid, it.payment?.status, it.reason]);
window.checkout = (Gateway, more) => new Gateway({ key: KEY, orderId: ORDER, onSuccess: note('success'),
  onFailure: note('failure'), onClose: note('close'), ...more });"""


@dataclass
class Site:
    """``files``: what is answered at a path, with its headers; all else is 404."""

    env: UpEnvironment
    merchant: dict[str, str]
    url: str
    files: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    def put(self, path: str, body: str, kind: str = "text/html", **headers: str) -> str:
        """Answer ``path`` with ``body`` from now on; ``headers`` with underscores for hyphens. Returns the address."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.files[path] = (body, {"content-type": f"{kind}; charset=utf-8"} | named)
        return f"{self.url}{path}"

    async def shows(self, page: Page, order_id: str, script: str, *, key: str = "", **headers: str) -> None:
        """Open a page with ``script`` in its head, and with ``checkout(Gateway)``, which notes what it is told."""
        facts = f'const KEY = "{key or self.merchant["publishable"]}", ORDER = "{order_id}";'
        head = f'<title>Shop</title><link rel="icon" href="data:,"><script>{facts}{NOTE}</script>{script}'
        body = '<button id="pay" onclick="checkout(window.PaymentGateway).open()">Pay</button>'
        await page.goto(self.put("/page", f"<!doctype html>{head}<body>{body}", **headers))

    async def api(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A call of the gateway's API with the merchant's key."""
        keys = {"x-api-key": self.merchant["key"], "x-api-secret": self.merchant["secret"]}
        keys |= {"idempotency-key": os.urandom(8).hex()} if method == "POST" else {}
        answer = await self.env.http.request(method, f"/api/v1{path}", json=body, headers=keys)
        assert answer.status_code < 300, answer.text
        return dict(answer.json())

    async def order(self, amount: str = "24.00", **more: Any) -> str:
        """An order of the merchant's, made by its server. Its id."""
        asked = {"amount": amount, "currency": "USD", "reference": f"S-{os.urandom(3).hex()}"}
        return str((await self.api("POST", "/orders", asked | more))["id"])

    def frame(self, page: Page) -> FrameLocator:
        return page.frame_locator("bitloot-checkout iframe")


async def calls(page: Page) -> list[list[object]]:
    """What the page was told: callback, the order's status, paid, the attempt's status, reason."""
    return list(await page.evaluate("window.calls ?? []"))


@pytest.fixture(scope="session")
async def site(env: UpEnvironment) -> AsyncIterator[Site]:
    """The merchant's site, on an origin of its own that is allowed."""
    files: dict[str, tuple[str, dict[str, str]]] = {}

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body, headers = files.get(self.path.partition("?")[0], ("", {}))
            self.send_response(200 if headers else 404)
            for name, value in (headers | {"content-length": str(len(body.encode()))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield Site(env, await founded(env, url), url, files)
    finally:
        server.shutdown()
        server.server_close()
