"""A worker killed with -9 in the middle of everything: the next sweep sees it, and each order completes, once."""

import asyncio
import time

from dev.up_environment import UpEnvironment
from tests.faults.catastrophes import kill_worker_mid_call
from tests.journeys.shopper import bought_exactly_once

SWEEP_AND_START = 20.0  # seconds for the next sweep and a new worker's start, with room for a busy machine


async def test_each_order_in_a_killed_workers_hands_completes_with_one_charge_one_key_a_unit_and_no_second_letter(
    env: UpEnvironment,
) -> None:
    bereft = await kill_worker_mid_call(env)
    killed = time.monotonic()
    await asyncio.gather(*(order.reaches("fulfilled", seconds=SWEEP_AND_START) for order in bereft.paid))
    print(f"\nall paid orders fulfilled {time.monotonic() - killed:.1f} s after their worker was killed")
    await asyncio.gather(*(order.reaches("waiting", seconds=SWEEP_AND_START) for order in bereft.unpaid))
    await asyncio.gather(*(order.pays() for order in bereft.unpaid))
    await asyncio.gather(*(bought_exactly_once(order) for order in bereft.orders))
