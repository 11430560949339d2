"""Providers that say things twice, late, in the wrong order, wrongly or not at all: one charge, whatever they say."""

import asyncio

from dev.up_environment import UpEnvironment
from tests.journeys.shopper import Shopper, bought_exactly_once


async def test_notices_doubled_and_reordered_by_both_providers_buy_each_order_once(env: UpEnvironment) -> None:
    orders = await asyncio.gather(*(Shopper.orders(env, n) for n in (1, 2, 1, 1)))
    await asyncio.gather(*(order.payment_id() for order in orders))
    for provider in ("nowpayments", "kinguin"):
        await env.box.fault(provider, "double_webhooks", count=12)
        await env.box.fault(provider, "reorder_webhooks", count=6, seconds=1)
    cases = ("success", "doubled", "reordered", "twice")
    await asyncio.gather(*(order.pays(case) for order, case in zip(orders, cases, strict=True)))
    await asyncio.gather(*(bought_exactly_once(order) for order in orders))
    await env.box.no_faults()
    owed = await env.rows("SELECT detail FROM issue WHERE subject = $1", f"order:{orders[3].order_id}")
    assert "owed back" in str(owed[0]["detail"]), "the second deposit is on the admin's list"


async def test_providers_that_break_and_heal_are_asked_again_until_they_answer(env: UpEnvironment) -> None:
    await env.box.fault("nowpayments", "error500", path="invoice", count=1)
    await env.box.fault("resend", "error500", count=2)
    first = await Shopper.orders(env)
    await first.payment_id()
    await env.box.fault("kinguin", "error500", path="/v1/order", count=1)
    await env.box.fault("kinguin", "html_garbage", path="/keys", count=1)
    await first.pays()
    await bought_exactly_once(first, seconds=30)


async def test_a_purchase_whose_answer_was_lost_is_found_again_and_not_made_twice(env: UpEnvironment) -> None:
    orders = await asyncio.gather(Shopper.orders(env, 2), Shopper.orders(env))
    await asyncio.gather(*(order.payment_id() for order in orders))
    await env.box.fault("kinguin", "timeout_after_effect", path="/v2/order", count=1, seconds=1)
    await env.box.fault("kinguin", "error500_after_effect", path="/v2/order", count=1)
    await asyncio.gather(*(order.pays() for order in orders))
    await asyncio.gather(*(bought_exactly_once(order, seconds=30) for order in orders))
    faults = (await env.box.http.get("/sandbox/api/faults")).json()
    assert faults == [], "both faults have struck"
