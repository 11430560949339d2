"""Each switch makes exactly the trouble it names, as often as it is told to."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.conftest import Sandbox, Shop, parsed

ASKED = {"price_amount": 25, "price_currency": "usd", "pay_currency": "btc"}


async def switch(sandbox: Sandbox, provider: str, mode: str, **more: Any) -> None:
    answer = await sandbox.control.post("/faults", json={"provider": provider, "mode": mode} | more)
    assert answer.status_code == 201, answer.text


async def payments(sandbox: Sandbox) -> int:
    return len(parsed(await sandbox.control.get("/payments")))


async def test_a_500_does_nothing_and_is_over_after_its_count(sandbox: Sandbox) -> None:
    await switch(sandbox, "nowpayments", "error500", count=2)
    statuses = [(await sandbox.now.post("/payment", json=ASKED)).status_code for _ in range(3)]
    assert statuses == [500, 500, 201]
    assert await payments(sandbox) == 1
    assert parsed(await sandbox.control.get("/faults")) == []


async def test_a_500_after_the_effect_hides_a_payment(sandbox: Sandbox) -> None:
    await switch(sandbox, "nowpayments", "error500_after_effect", count=1)
    assert (await sandbox.now.post("/payment", json=ASKED)).status_code == 500
    assert await payments(sandbox) == 1


async def test_a_timeout_after_the_effect_hangs_up_on_a_payment(sandbox: Sandbox) -> None:
    await switch(sandbox, "nowpayments", "timeout_after_effect", count=1, seconds=0)
    with pytest.raises(httpx.RemoteProtocolError):
        await sandbox.now.post("/payment", json=ASKED)
    assert await payments(sandbox) == 1


async def test_a_fault_strikes_its_provider_and_path_only(sandbox: Sandbox) -> None:
    await switch(sandbox, "kinguin", "error500", path="/balance")
    assert (await sandbox.kinguin.get("/v1/balance")).status_code == 500
    assert (await sandbox.kinguin.get("/v1/platforms")).status_code == 200
    assert (await sandbox.now.get("/currencies")).status_code == 200
    assert (await sandbox.control.delete("/faults")).status_code == 200
    assert (await sandbox.kinguin.get("/v1/balance")).status_code == 200


async def test_rate_limits_look_like_each_provider(sandbox: Sandbox) -> None:
    for provider in ("nowpayments", "kinguin", "resend"):
        await switch(sandbox, provider, "rate_limit", seconds=7)
    page = await sandbox.now.get("/currencies")
    assert (page.status_code, page.headers["retry-after"], page.headers["content-type"]) == (429, "7", "text/html")
    assert parsed(await sandbox.kinguin.get("/v1/balance"))["kind"] == "Http"
    mail = await sandbox.resend.post("/emails", json={})
    assert (parsed(mail)["name"], mail.headers["retry-after"]) == ("rate_limit_exceeded", "7")


async def test_garbage_is_a_200_that_is_no_json(sandbox: Sandbox) -> None:
    await switch(sandbox, "kinguin", "html_garbage")
    answer = await sandbox.kinguin.get("/v1/balance")
    assert answer.status_code == 200
    assert answer.text.startswith("<!doctype html>")


async def test_latency_is_slow_and_harmless(sandbox: Sandbox) -> None:
    await switch(sandbox, "nowpayments", "latency", seconds="0.05", count=1)
    answer = await sandbox.now.get("/currencies")
    assert answer.status_code == 200


async def test_a_rate_of_zero_never_strikes(sandbox: Sandbox) -> None:
    await switch(sandbox, "nowpayments", "error500", rate=0)
    assert {(await sandbox.now.get("/currencies")).status_code for _ in range(20)} == {200}


async def test_notices_are_dropped_doubled_and_held_back(sandbox: Sandbox, shop: Shop) -> None:
    made = await sandbox.payment()
    await switch(sandbox, "nowpayments", "drop_webhooks", count=1)
    assert (await sandbox.pay(made["payment_id"], "confirming"))["ipns"][0]["state"] == "dropped"
    assert shop.heard == []
    await switch(sandbox, "nowpayments", "double_webhooks", count=1)
    await sandbox.pay(made["payment_id"], "confirmed")
    await shop.hears(2)
    assert shop.heard[0] == shop.heard[1]
    await switch(sandbox, "nowpayments", "reorder_webhooks", count=1)
    await sandbox.pay(made["payment_id"], "success")
    assert shop.statuses == ["confirmed", "confirmed", "finished", "sending"]


async def test_a_held_back_notice_goes_out_alone_in_the_end(sandbox: Sandbox, shop: Shop) -> None:
    await switch(sandbox, "nowpayments", "reorder_webhooks", count=1, seconds="0.05")
    answer = await sandbox.pay((await sandbox.payment())["payment_id"], "finished")
    assert answer["ipns"][0]["state"] == "delivered"


async def test_kinguin_orders_fail_opaquely_or_hide_from_search(sandbox: Sandbox) -> None:
    product = await sandbox.product()
    await switch(sandbox, "kinguin", "order_failed", count=1)
    assert parsed(await sandbox.buy(product))["kind"] == "OrderFailed"
    await switch(sandbox, "kinguin", "search_lag", count=1, seconds=600)
    order_id = parsed(await sandbox.buy(product))["orderId"]
    assert parsed(await sandbox.kinguin.get("/v1/order?orderExternalId=r-1"))["item_count"] == 0
    assert (await sandbox.kinguin.get(f"/v1/order/{order_id}")).status_code == 200


async def test_resend_quota_and_concurrency(sandbox: Sandbox) -> None:
    mail = {"from": "a@b.co", "to": "c@d.co", "subject": "s", "text": "t"}
    await switch(sandbox, "resend", "quota", count=1)
    assert parsed(await sandbox.resend.post("/emails", json=mail))["name"] == "daily_quota_exceeded"
    await switch(sandbox, "resend", "concurrent", count=1)
    answer = await sandbox.resend.post("/emails", json=mail, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, parsed(answer)["name"]) == (409, "concurrent_idempotent_requests")


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"provider": "kinguin"},
        {"provider": "stripe", "mode": "latency"},
        {"provider": "kinguin", "mode": "quota"},
        {"provider": "kinguin", "mode": "latency", "rate": 2},
        {"provider": "kinguin", "mode": "latency", "count": 0},
        {"provider": "kinguin", "mode": "latency", "seconds": -1},
        {"provider": "kinguin", "mode": "latency", "often": 1},
    ],
)
async def test_a_bad_switch_is_refused_with_a_reason(sandbox: Sandbox, bad: dict[str, Any]) -> None:
    answer = await sandbox.control.post("/faults", json=bad)
    assert answer.status_code == 400
    assert len(parsed(answer)["detail"]) > 10
    assert parsed(await sandbox.control.get("/faults")) == []


async def test_reset_empties_everything(sandbox: Sandbox) -> None:
    await sandbox.pay((await sandbox.payment())["payment_id"], "finished")
    await sandbox.buy(await sandbox.product(price="77"))
    await sandbox.resend.post("/emails", json={"from": "a@b.co", "to": "c@d.co", "subject": "s", "text": "t"})
    await switch(sandbox, "kinguin", "latency", seconds=0)
    await sandbox.control.post("/settings", json={"balance": 5, "deliveryDelay": 9})
    assert parsed(await sandbox.control.post("/reset")) == {"reset": True}
    for what in ("payments", "orders", "mail", "faults", "webhooks"):
        assert parsed(await sandbox.control.get(f"/{what}")) == [], what
    assert await sandbox.balance() == 100_000
    assert parsed(await sandbox.control.get("/settings"))["deliveryDelay"] == 0
    assert str((await sandbox.product())["price"]) == "12.49"
