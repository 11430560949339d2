"""The embedded Redis and Postgres killed with -9 under a running shop: `up` starts them again, orders go on."""

import asyncio

import psutil
import pytest

from dev.environment import alive, until
from dev.up_environment import UpEnvironment
from tests.journeys.shopper import Shopper, bought_exactly_once

BACK = 20.0  # seconds until a killed server runs again, with room for a busy machine


async def killed(env: UpEnvironment, name: str) -> psutil.Process:
    """Kill a server; returns the one that runs in its place."""
    before = env.server(name)
    before.kill()

    def another() -> psutil.Process | None:
        try:
            found = env.server(name)
        except (OSError, ValueError, IndexError, psutil.Error):  # its file is being written
            return None
        return found if found != before and alive(found) else None

    return await until(another, f"{name} runs again", seconds=BACK)


@pytest.mark.parametrize("name", ["redis", "postgres"])
async def test_orders_under_way_are_bought_once_although_a_server_dies(env: UpEnvironment, name: str) -> None:
    waiting, paid = await asyncio.gather(Shopper.orders(env), Shopper.orders(env, 2))
    await asyncio.gather(waiting.payment_id(), paid.payment_id())
    await paid.pays()
    await killed(env, name)

    async def is_ready() -> bool:
        return (await env.http.get("/readyz")).status_code == 200

    await until(is_ready, "the shop is ready", seconds=BACK)
    fresh = await Shopper.orders(env)
    await asyncio.gather(waiting.pays(), fresh.pays())
    await asyncio.gather(*(bought_exactly_once(order, seconds=40) for order in (waiting, paid, fresh)))


async def test_both_at_once_and_again(env: UpEnvironment) -> None:
    order = await Shopper.orders(env)
    await order.payment_id()
    for _ in range(2):
        await asyncio.gather(killed(env, "redis"), killed(env, "postgres"))
    await order.pays()
    await bought_exactly_once(order, seconds=40)
