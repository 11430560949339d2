"""SIGTERM is how a host says goodbye: what is under way is finished first, within its 25 seconds."""

import asyncio
import contextlib
import time

import httpx
import psutil

from dev.environment import alive, until
from dev.up_environment import UpEnvironment
from tests.journeys.shopper import Shopper, bought_exactly_once

GRACE = 25.0  # seconds a Heroku-like host waits before it kills


async def _ends(process: psutil.Process) -> float:
    """Send SIGTERM; returns the seconds until it has ended with all its children."""
    family = [process, *process.children(recursive=True)]
    began = time.monotonic()
    process.terminate()
    await until(lambda: not any(alive(p) for p in family), f"{process} ends", seconds=GRACE)
    return time.monotonic() - began


async def test_a_worker_told_to_go_finishes_the_job_in_its_hands_first(env: UpEnvironment) -> None:
    order = await Shopper.orders(env)
    await order.payment_id()
    worker = await env.running("worker")
    await env.box.fault("kinguin", "latency", path="/v2/order", seconds=1.5, count=1)
    await order.pays()
    await until(lambda: _reserving(order), "the supplier is being asked")
    took = await _ends(worker)
    # A slow call goes to its end, the job with it: no second attempt, no lease that has to run out.
    jobs = await env.rows("SELECT * FROM job WHERE subject = $1::uuid AND name = 'fulfillment.reserve'", order.order_id)
    assert [(job["status"], job["attempt"]) for job in jobs] == [("completed", 1)]
    print(f"\nworker with a call under way ended {took:.1f} s after SIGTERM")
    await bought_exactly_once(order)


async def _reserving(order: Shopper) -> bool:
    return "fulfillment.reserve" in await order.jobs("processing")


async def test_the_clock_told_to_go_goes_at_once_and_is_replaced(env: UpEnvironment) -> None:
    clock = await env.running("clock")
    print(f"\nclock ended {await _ends(clock):.1f} s after SIGTERM")
    assert await env.running("clock", other_than=clock)


def _cut_off(env: UpEnvironment) -> int:
    """How often a web process gave up waiting for what was under way, by its own word."""
    return (env.var / "logs" / "web.log").read_text().count("timeout graceful shutdown exceeded")


async def test_a_web_process_told_to_go_does_not_wait_for_open_pages(env: UpEnvironment) -> None:
    order = await Shopper.orders(env)
    opened = asyncio.Event()

    async def watch() -> None:
        with contextlib.suppress(httpx.TransportError):
            async with env.http.stream("GET", f"/orders/{order.order_id}/events", headers=order.bearer) as stream:
                async for _ in stream.aiter_lines():
                    opened.set()

    page = asyncio.create_task(watch())
    await asyncio.wait_for(opened.wait(), 10)
    web = await env.running("web")
    before = _cut_off(env)
    took = await _ends(web)
    print(f"\nweb with an open stream ended {took:.1f} s after SIGTERM")
    await asyncio.wait_for(page, 5)
    assert _cut_off(env) == before, "the page was waited for, and then cut off"
    await until(lambda: order.status(), "the next web process answers")
    assert await order.payment_id()


async def test_the_master_of_the_workers_killed_alone_leaves_no_second_set_of_them(env: UpEnvironment) -> None:
    master = await env.running("worker")
    orphans = master.children(recursive=True)
    master.kill()
    await env.running("worker", other_than=master)
    await until(lambda: not any(alive(orphan) for orphan in orphans), "the dead master's workers are gone")
