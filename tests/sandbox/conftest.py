"""A sandbox of its own for each test, and the shop that its notices reach."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import pytest

from dev.sandbox.config import Config, from_environment
from dev.sandbox.main import create_app

IPN_SECRET = "an ipn secret of this test"
SHOP = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Heard:
    """One notice as the shop got it."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body, parse_float=Decimal)

    @property
    def signed(self) -> bool:
        """Whether the IPN's signature fits its raw bytes, recomputed here."""
        expected = hmac.new(IPN_SECRET.encode(), self.body, hashlib.sha512).hexdigest()
        return hmac.compare_digest(expected, self.headers.get("x-nowpayments-sig", ""))


@dataclass
class Shop:
    """The shop's webhook routes; `answers` are its next statuses, then 204 without a body."""

    answers: list[int] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        body += message["body"]
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status = self.answers.pop(0) if self.answers else 204
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        async with self._changed:
            self.heard.append(Heard(scope["path"], headers, body))
            self._changed.notify_all()

    async def hears(self, count: int) -> list[Heard]:
        """Wait until it has heard so many notices in all."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: len(self.heard) >= count)
        return self.heard

    @property
    def statuses(self) -> list[str]:
        """The statuses heard, in order."""
        return [it.json.get("payment_status") or it.json["status"] for it in self.heard]


@dataclass(frozen=True)
class Sandbox:
    """Clients of one sandbox, each with its key."""

    now: httpx.AsyncClient
    kinguin: httpx.AsyncClient
    resend: httpx.AsyncClient
    control: httpx.AsyncClient
    panel: httpx.AsyncClient

    async def payment(self, **changes: Any) -> dict[str, Any]:
        """A payment of 25 USD in bitcoin, as the shop makes one."""
        asked = {"price_amount": 25, "price_currency": "usd", "pay_currency": "btc", "order_id": "o-1"}
        asked |= {"ipn_callback_url": f"{SHOP}/webhooks/nowpayments/ipn"} | changes
        answer = await self.now.post("/payment", json=asked)
        assert answer.status_code == 201, answer.text
        return parsed(answer)

    async def pay(self, payment_id: str, case: str, **more: Any) -> dict[str, Any]:
        """Play a case and wait until the shop has answered every IPN."""
        body = {"case": case, "wait": True} | more
        answer = await self.control.post(f"/payments/{payment_id}/pay", json=body)
        assert answer.status_code == 200, answer.text
        return parsed(answer)

    async def status(self, payment_id: str | int) -> dict[str, Any]:
        return parsed(await self.now.get(f"/payment/{payment_id}"))

    async def product(self, **changes: Any) -> dict[str, Any]:
        """The first product of the catalogue, after these changes of its switches."""
        found = parsed(await self.kinguin.get("/v1/products", params={"limit": 1}))["results"][0]
        if changes:
            answer = await self.control.post(f"/products/{found['productId']}", json=changes)
            assert answer.status_code == 200, answer.text
            found = parsed(await self.kinguin.get(f"/v2/products/{found['productId']}"))
        return found

    async def buy(self, product: dict[str, Any], **changes: Any) -> httpx.Response:
        """Buy one text key of a product at its price; changes go into the row or the order."""
        row = {"productId": product["productId"], "qty": 1, "price": float(product["price"]), "keyType": "text"}
        order = {"orderExternalId": changes.pop("orderExternalId", "r-1")}
        row |= changes
        return await self.kinguin.post("/v2/order", json={"products": [row], **order})

    async def keys(self, order_id: str) -> list[dict[str, Any]]:
        return parsed(await self.kinguin.get(f"/v2/order/{order_id}/keys"))

    async def balance(self) -> Decimal:
        return Decimal(parsed(await self.kinguin.get("/v1/balance"))["balance"])


def parsed(answer: httpx.Response) -> Any:
    """An answer's JSON with exact numbers."""
    return json.loads(answer.content, parse_float=Decimal)


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    var = str(tmp_path_factory.mktemp("sandbox"))
    env = {"BITLOOT_VAR": var, "NOWPAYMENTS_IPN_SECRET": IPN_SECRET, "KINGUIN_SIGNATURE_SECRET": "hex"}
    return from_environment(env)


@asynccontextmanager
async def opened(config: Config, shop: Shop) -> AsyncIterator[Sandbox]:
    """A running sandbox whose notices go to `shop`."""
    app = create_app(config, httpx.ASGITransport(shop))
    door = httpx.ASGITransport(app)  # type: ignore[arg-type]

    def client(path: str, **headers: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=door, base_url=f"http://sandbox{path}", headers=headers)

    ready, done = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            ready.set()
            await done.wait()

    # Its own task, because a fixture is set up and torn down in two, which a cancel scope of anyio's can't be.
    living = asyncio.create_task(live())
    await ready.wait()
    yield Sandbox(
        client("/nowpayments/v1", **{"x-api-key": config.nowpayments_api_key}),
        client("/kinguin/esa/api", **{"X-Api-Key": config.kinguin_api_key}),
        client("/resend", Authorization=f"Bearer {config.resend_api_key}"),
        client("/sandbox/api"),
        client("/sandbox"),
    )
    done.set()
    await living


@pytest.fixture(scope="session")
async def shared(config: Config) -> AsyncIterator[tuple[Sandbox, Shop]]:
    """One sandbox for the whole run: building it takes longer than most tests."""
    shop = Shop()
    async with opened(config, shop) as running:
        yield running, shop


@pytest.fixture
async def sandbox(shared: tuple[Sandbox, Shop]) -> Sandbox:
    """The sandbox as on its first day, but quick to send a refused notice again."""
    running, shop = shared
    await running.control.post("/reset")
    shop.answers.clear()
    shop.heard.clear()
    await running.control.post("/settings", json={"ipnRetryInterval": 0, "webhookRetryInterval": 0})
    return running


@pytest.fixture
def shop(shared: tuple[Sandbox, Shop], sandbox: Sandbox) -> Shop:
    """The shop that the sandbox's notices reach; it has heard nothing yet."""
    return shared[1]
