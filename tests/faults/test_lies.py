"""Providers that say things twice, late, in the wrong order, wrongly or not at all: one charge, whatever they say."""

import asyncio

from tests.journeys.shopper import Shopper, bought_exactly_once
from tests.town import Town


async def test_notices_doubled_and_reordered_by_both_providers_buy_each_order_once(town: Town) -> None:
    orders = await asyncio.gather(*(Shopper.orders(town, n) for n in (1, 2, 1, 1)))
    await asyncio.gather(*(order.payment_id() for order in orders))
    for provider in ("nowpayments", "kinguin"):
        await town.box.fault(provider, "double_webhooks", count=12)
        await town.box.fault(provider, "reorder_webhooks", count=6, seconds=1)
    cases = ("success", "doubled", "reordered", "twice")
    await asyncio.gather(*(order.pays(case) for order, case in zip(orders, cases, strict=True)))
    await asyncio.gather(*(bought_exactly_once(order) for order in orders))
    await town.box.no_faults()
    owed = await town.rows("SELECT cause FROM customer_order WHERE id = $1::uuid", orders[3].order_id)
    assert "owed back" in str(owed[0]["cause"]), "the second deposit is on the admin's list"


async def test_providers_that_break_and_heal_are_asked_again_until_they_answer(town: Town) -> None:
    await town.box.fault("nowpayments", "error500", path="invoice", count=1)
    await town.box.fault("resend", "error500", count=2)
    first = await Shopper.orders(town)
    await first.payment_id()
    await town.box.fault("kinguin", "error500", path="/v1/order", count=1)
    await town.box.fault("kinguin", "html_garbage", path="/keys", count=1)
    await first.pays()
    await bought_exactly_once(first, seconds=30)


async def test_a_purchase_whose_answer_was_lost_is_found_again_and_not_made_twice(town: Town) -> None:
    orders = await asyncio.gather(Shopper.orders(town, 2), Shopper.orders(town))
    await asyncio.gather(*(order.payment_id() for order in orders))
    await town.box.fault("kinguin", "timeout_after_effect", path="/v2/order", count=1, seconds=1)
    await town.box.fault("kinguin", "error500_after_effect", path="/v2/order", count=1)
    await asyncio.gather(*(order.pays() for order in orders))
    await asyncio.gather(*(bought_exactly_once(order, seconds=30) for order in orders))
    faults = (await town.box.http.get("/sandbox/api/faults")).json()
    assert faults == [], "both faults have struck"
