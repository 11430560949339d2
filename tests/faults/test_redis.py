"""Redis carries messages only: wiped in the middle, it costs a sweep, never an order."""

import asyncio

import redis

from dev.environment import until
from dev.up_environment import UpEnvironment
from tests.journeys.shopper import Shopper, bought_exactly_once


async def test_redis_wiped_in_the_middle_of_six_orders_loses_none_and_buys_nothing_twice(env: UpEnvironment) -> None:
    wire = redis.Redis(unix_socket_path=str(env.var / "redis.sock"))
    paid = await asyncio.gather(*(Shopper.orders(env) for _ in range(4)))
    await asyncio.gather(*(order.payment_id() for order in paid))
    worker = await env.running("worker")
    hands = worker.children(recursive=True)
    # The worker holds still, so that every message is in Redis and nowhere else when it is wiped.
    for hand in hands:
        hand.suspend()
    try:
        unpaid = await asyncio.gather(Shopper.orders(env), Shopper.orders(env, 2))
        await asyncio.gather(*(order.pays() for order in paid))
        await until(lambda: _queued(wire) >= 8, "two payments to make, two letters and four notices are queued")
        wire.flushall()
    finally:
        for hand in hands:
            hand.resume()
    await asyncio.gather(*(order.pays() for order in unpaid))
    await asyncio.gather(*(bought_exactly_once(order, seconds=30) for order in [*paid, *unpaid]))


def _queued(wire: "redis.Redis") -> int:
    return sum(int(wire.llen(f"dramatiq:{queue}")) for queue in ("orders", "mail"))
