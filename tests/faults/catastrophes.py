"""Two deaths at the worst moment: a worker's with five orders in its hands, and that of `up` with one on its way."""

import asyncio
import os
import signal
from collections import Counter
from dataclasses import dataclass

import psutil

from dev.environment import alive, until
from dev.up_environment import UpEnvironment
from tests.journeys.shopper import Shopper

LONG = 12.0  # seconds a call hangs, so that the death falls into it
IN_HAND = {
    "fulfillment.reserve": 2,
    "fulfillment.collect": 1,
    "payments.create": 2,
    "mail.send": 1,
}  # job → at least so many


@dataclass
class Bereft:
    """Orders whose worker died in the middle of them."""

    unpaid: list[Shopper]
    paid: list[Shopper]

    @property
    def orders(self) -> list[Shopper]:
        return [*self.unpaid, *self.paid]


async def kill_worker_mid_call(env: UpEnvironment) -> Bereft:
    """Five orders, each in the middle of a call to a provider, when the worker and its children are killed with -9."""
    worker = await env.running("worker")
    paid = await asyncio.gather(Shopper.orders(env), Shopper.orders(env, 2), Shopper.orders(env, 1, 1))
    await asyncio.gather(*(order.payment_id() for order in paid))
    # One has been bought and waits for its keys to be handed out; two have been bought, but the answer never comes.
    await env.box.fault("kinguin", "timeout_after_effect", path="/keys", seconds=LONG)
    await paid[0].pays()
    await until(lambda: _doing(paid[0], "fulfillment.collect"), "its keys are being collected")
    await env.box.fault("kinguin", "timeout_after_effect", path="/v2/order", seconds=LONG)
    await env.box.fault("nowpayments", "latency", path="invoice", seconds=LONG)
    await env.box.fault("resend", "timeout_after_effect", seconds=LONG)
    await asyncio.gather(paid[1].pays(), paid[2].pays())
    unpaid = await asyncio.gather(Shopper.orders(env), Shopper.orders(env))
    bereft = Bereft(list(unpaid), list(paid))
    await until(lambda: _all_in_hand(bereft), "five orders and a letter each are in the worker's hands")
    for process in [worker, *worker.children(recursive=True)]:
        process.kill()
    await env.box.no_faults()
    return bereft


async def _doing(order: Shopper, job: str) -> bool:
    return job in await order.jobs("processing")


async def _all_in_hand(bereft: Bereft) -> bool:
    # Bought, and not told: killed before that, the next worker would wait out the supplier's lagging search.
    if [len(await order.supplied()) for order in bereft.paid] != [1, 1, 2]:
        return False
    hands = await asyncio.gather(*(order.jobs("processing") for order in bereft.orders))
    held = Counter(name for hand in hands for name in hand)
    return all(held[name] >= least for name, least in IN_HAND.items())


@dataclass
class Revived:
    """A second shop whose ``up`` died with -9 and was started again; then no notice of any provider reached it."""

    env: UpEnvironment
    fulfilled: Shopper
    keys: list[str]
    waiting: Shopper
    in_flight: Shopper
    orphans: set[psutil.Process]
    unheard: Shopper | None = None
    paid_at: float = 0.0


async def kill_and_start_again(env: UpEnvironment) -> Revived:
    """The whole story of the second shop."""
    env.launch()
    await env.greeting()
    revived = await _kill_up(env)
    await _start_again(revived)
    return revived


async def _kill_up(env: UpEnvironment) -> Revived:
    """One order fulfilled, one waiting, one in the middle of a call: then ``up`` alone is killed with -9."""
    fulfilled, waiting, in_flight = await asyncio.gather(*(Shopper.orders(env) for _ in range(3)))
    await asyncio.gather(fulfilled.buys(), waiting.payment_id(), in_flight.payment_id())
    keys = await fulfilled.reveals()
    await env.box.fault("kinguin", "timeout_after_effect", path="/v2/order", seconds=LONG)
    await in_flight.pays()
    await until(lambda: _doing(in_flight, "fulfillment.reserve"), "an order is being bought")
    assert env.up is not None
    orphans = env.everyone() - {psutil.Process(env.up.pid)}
    os.kill(env.up.pid, signal.SIGKILL)
    env.up.wait()
    assert all(alive(process) for process in orphans)
    return Revived(env, fulfilled, keys, waiting, in_flight, orphans)


async def _start_again(revived: Revived) -> None:
    """A new ``up`` on the same folder; then every notice is dropped, and an order paid that can't be told of."""
    env = revived.env
    env.launch()
    await env.greeting()
    await env.box.no_faults()
    await revived.waiting.buys()
    for provider in ("nowpayments", "kinguin"):
        await env.box.fault(provider, "drop_webhooks")
    revived.unheard = await Shopper.orders(env)
    await revived.unheard.pays()
    revived.paid_at = asyncio.get_running_loop().time()
