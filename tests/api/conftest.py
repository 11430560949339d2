"""Merchants with keys, and clients that speak for them."""

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.merchants import api_keys, service
from app.merchants.api_keys import Issued
from tests.web.conftest import Shop


@dataclass(frozen=True)
class Till:
    """A merchant in one of its modes, with a key of all scopes."""

    merchant_id: UUID
    test: bool
    key: Issued
    http: httpx.AsyncClient

    async def post(self, path: str, body: Any = None, key: str = "", **headers: str) -> httpx.Response:
        more = {"idempotency-key": key} if key else {}
        return await self.http.post(path, json={} if body is None else body, headers=more | headers)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        return await self.http.get(path, params=query)

    async def order(self, amount: str = "49.90", **more: Any) -> dict[str, Any]:
        """A new order."""
        body = {"amount": amount, "currency": "USD", "reference": "cart-1042", "customer_email": "ann@example.com"}
        made = await self.post("/orders", body | more)
        assert made.status_code == 201, made.text
        return dict(made.json())

    async def payment(self, number: str = "4242424242424242", amount: str = "49.90", **more: Any) -> dict[str, Any]:
        """A new payment of a new order by a test card."""
        order = await self.order(amount)
        body = {"order_id": order["id"], "method": "card", "card": card(number), **more}
        made = await self.post("/payments", body)
        assert made.status_code == 201, made.text
        return dict(made.json())


def card(number: str = "4242424242424242") -> dict[str, str]:
    return {"number": number, "expiry": "12/34", "cvv": "1234" if number.startswith("37") else "123"}


@pytest.fixture
async def tills(app: Any) -> AsyncIterator[Any]:
    """Makes tills: ``await tills("Games")`` is a new merchant in test mode; ``of`` names one that is there."""
    opened: list[httpx.AsyncClient] = []

    async def make(name: str = "Games", *, test: bool = True, of: UUID | None = None, **change: Any) -> Till:
        merchant_id = of or await service.create_merchant(name)
        issued = await api_keys.issue(merchant_id, **{"test": test, "name": "till", "scopes": api_keys.SCOPES} | change)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        base = f"http://127.0.0.1:{os.environ['PORT']}/api/v1"
        headers = {"x-api-key": issued.key, "x-api-secret": issued.secret}
        opened.append(httpx.AsyncClient(transport=transport, base_url=base, headers=headers))
        return Till(merchant_id, test, issued, opened[-1])

    yield make
    for client in opened:
        await client.aclose()


@pytest.fixture
async def till(tills: Any) -> Till:
    """A merchant in test mode."""
    made: Till = await tills()
    return made


@pytest.fixture
async def document(client) -> dict[str, Any]:
    """The OpenAPI document."""
    return dict((await client.get("/api/docs/openapi.json")).json())


@pytest.fixture
def server(sandbox_process: str) -> Iterator[Shop]:
    """A shop on a real port, whose test mode plays at once."""
    found = Shop("api", TEST_MODE="true", TEST_PROCESSING_DELAY="0")
    yield found
    found.end()
