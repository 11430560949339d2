"""Calls made to wait at an exact point: before their effect, or after it with the answer withheld."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.conftest import Box
from tests.sandbox.conftest import Sandbox, parsed

PAYMENT = {"price_amount": 25, "price_currency": "usd", "pay_currency": "btc", "order_id": "o-1"}


async def arm(sandbox: Sandbox, phase: str, **more: Any) -> str:
    body = {"provider": "nowpayments", "phase": phase, "path": "*/v1/payment", "method": "POST"} | more
    answer = await sandbox.control.post("/holds", json=body)
    assert answer.status_code == 201, answer.text
    return str(parsed(answer)["id"])


async def waiting(sandbox: Sandbox, count: int) -> None:
    async with asyncio.timeout(10):
        while sum(hold["held"] for hold in parsed(await sandbox.control.get("/holds"))) != count:
            await asyncio.sleep(0.01)


async def payments(sandbox: Sandbox) -> int:
    return len(parsed(await sandbox.control.get("/payments")))


async def release(sandbox: Sandbox, **how: str) -> None:
    assert (await sandbox.control.post("/holds/release", json=how)).status_code == 200


@pytest.mark.parametrize(("phase", "made"), [("before", 0), ("after", 1)])
async def test_a_held_call_waits_at_its_point_and_is_answered_once_let_go(
    sandbox: Sandbox, phase: str, made: int
) -> None:
    await arm(sandbox, phase)
    call = asyncio.create_task(sandbox.now.post("/payment", json=PAYMENT))
    await waiting(sandbox, 1)
    assert await payments(sandbox) == made
    assert not call.done()
    await release(sandbox)
    assert parsed(await call)["payment_status"] == "waiting"
    assert await payments(sandbox) == 1
    assert parsed(await sandbox.control.get("/holds")) == []


@pytest.mark.parametrize(("phase", "made"), [("before", 0), ("after", 1)])
async def test_a_held_call_may_end_in_a_500_with_or_without_its_effect(sandbox: Sandbox, phase: str, made: int) -> None:
    await arm(sandbox, phase)
    call = asyncio.create_task(sandbox.now.post("/payment", json=PAYMENT))
    await waiting(sandbox, 1)
    await release(sandbox, then="error500")
    assert (await call).status_code == 500
    assert await payments(sandbox) == made


async def test_a_hold_catches_only_what_it_names(sandbox: Sandbox) -> None:
    await arm(sandbox, "before", match='"pay_currency":"doge"')
    await arm(sandbox, "before", path="*/v1/invoice")
    assert (await sandbox.now.post("/payment", json=PAYMENT)).status_code == 201
    assert (await sandbox.kinguin.get("/v1/balance")).status_code == 200
    caught = asyncio.create_task(sandbox.now.post("/payment", json=PAYMENT | {"pay_currency": "doge"}))
    await waiting(sandbox, 1)
    await release(sandbox)
    assert (await caught).status_code == 201


async def test_a_suppliers_call_is_known_by_the_product_of_the_order_it_is_about(sandbox: Sandbox) -> None:
    product = await sandbox.product()
    order = parsed(await sandbox.buy(product))
    hold = {"provider": "kinguin", "phase": "before", "path": "*/v2/order/*/keys", "match": product["productId"]}
    assert (await sandbox.control.post("/holds", json=hold)).status_code == 201
    asked = asyncio.create_task(sandbox.keys(order["orderId"]))
    await waiting(sandbox, 1)
    assert (await sandbox.kinguin.get(f"/v1/order/{order['orderId']}")).status_code == 200, "another path goes on"
    await release(sandbox)
    assert len(await asked) == 1


async def test_disarmed_a_hold_keeps_who_waits_and_catches_nobody_else(sandbox: Sandbox) -> None:
    await arm(sandbox, "before")
    first = asyncio.create_task(sandbox.now.post("/payment", json=PAYMENT))
    await waiting(sandbox, 1)
    await sandbox.control.post("/holds/disarm")
    assert (await sandbox.now.post("/payment", json=PAYMENT)).status_code == 201
    assert not first.done()
    await release(sandbox)
    assert (await first).status_code == 201


@pytest.fixture
async def hasty(box: Box) -> AsyncIterator[httpx.AsyncClient]:
    """A caller over a real socket that gives up at once."""
    key = {"x-api-key": "sandbox-nowpayments-key"}
    async with httpx.AsyncClient(base_url=f"{box.url}/nowpayments/v1", headers=key, timeout=0.3) as client:
        yield client


@pytest.mark.parametrize(("late", "made"), [(False, 0), (True, 1)])
async def test_a_call_whose_caller_died_never_arrived_or_arrives_late(
    box: Box, hasty: httpx.AsyncClient, late: bool, made: int
) -> None:
    body = {"provider": "nowpayments", "phase": "before", "path": "*/v1/payment", "late": late}
    await box.http.post("/sandbox/api/holds", json=body)
    with pytest.raises(httpx.ReadTimeout):
        await hasty.post("/payment", json=PAYMENT)
    await box.http.post("/sandbox/api/holds/release", json={})
    async with asyncio.timeout(5):
        while len(await box.payments()) != made:
            await asyncio.sleep(0.01)
    assert (await hasty.post("/payment", json=PAYMENT)).status_code == 201
    assert len(await box.payments()) == made + 1
