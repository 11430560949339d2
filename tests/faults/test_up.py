"""``bitloot up`` itself killed with -9, a second copy beside the first, and a copy that no notice reaches."""

import asyncio

import pytest

from dev.environment import alive
from dev.up_environment import UpEnvironment
from tests.faults.catastrophes import Revived
from tests.journeys.shopper import Shopper, bought_exactly_once

pytestmark = pytest.mark.proof

UNHEARD = 240.0  # seconds until a test gives up: the first look is after one minute


async def test_up_killed_with_its_children_left_behind_starts_again_on_the_same_data(revived: Revived) -> None:
    env = revived.env
    print(f"\nwarm start after kill -9 of `up`: {env.start_seconds} s")
    servers = {env.server("redis"), env.server("postgres")}
    left = [p for p in revived.orphans if alive(p) and p not in servers and p.ppid() not in {s.pid for s in servers}]
    assert left == [], "processes of the killed run live on beside the new ones"
    assert await revived.fulfilled.reveals() == revived.keys
    await bought_exactly_once(revived.waiting)
    await bought_exactly_once(revived.in_flight)


async def test_two_towns_stand_side_by_side_and_know_nothing_of_each_other(
    env: UpEnvironment, revived: Revived
) -> None:
    here, there = env, revived.env
    assert not here.everyone() & there.everyone()
    for one in (here, there):
        assert (await one.http.get("/readyz")).status_code == 200
    mine = await Shopper.orders(here)
    assert (await mine.status())["orderId"] == mine.order_id
    answer = await there.http.get(f"/fulfillment/{mine.order_id}/status", headers=mine.bearer)
    assert answer.status_code == 404


@pytest.mark.last
async def test_with_every_notice_dropped_an_order_completes_by_asking(revived: Revived) -> None:
    order = revived.unheard
    assert order is not None
    paid_for = asyncio.get_running_loop().time() - revived.paid_at
    await order.reaches("fulfilled", seconds=max(UNHEARD - paid_for, 5))
    await bought_exactly_once(order)
    sql = "SELECT (max(at) FILTER (WHERE kind = 'order.fulfilled')) - (max(at) FILTER (WHERE kind = 'order.waiting'))"
    took = await revived.env.rows(f"{sql} AS took FROM event WHERE subject = $1::uuid", order.order_id)
    print(f"\nfulfilled with every notice dropped: {took[0]['took'].total_seconds():.1f} s after the address was shown")
    heard = await revived.env.rows("SELECT 1 FROM inbound_webhook WHERE body LIKE $1", f"%{order.order_id}%".encode())
    assert heard == []
    notices = (await revived.env.box.http.get("/sandbox/api/webhooks")).json()
    own = [n for n in notices if order.order_id in n["body"]]
    assert {n["state"] for n in own} == {"dropped"}
