"""Whole orders through all jobs with one worker process, sandbox included; beside a no-op Dramatiq actor's rate."""

import asyncio
import json
import time

import asyncpg
import httpx

from bench.latency import stocked
from bench.load import hammer, request
from bench.report import Row
from bench.town import Town

ORDERS = 300
NOOPS = 3000


async def _noop_rate(town: Town) -> float:
    """Messages a second of an actor that does nothing, with the same worker options and broker."""
    from bench.noop import broker, nothing  # noqa: PLC0415 - its broker comes from the town's settings

    for _ in range(NOOPS):
        nothing.send()
    await town.start("noop", "dramatiq", "bench.noop", "--processes", "1", "--threads", "16")
    while broker.do_qsize("noop") == NOOPS:
        await asyncio.sleep(0.01)
    began = time.perf_counter()
    broker.join("noop", timeout=60_000, interval=5)
    rate = NOOPS / (time.perf_counter() - began)
    town.stop("noop")
    return rate


async def _pay_all(town: Town, db: asyncpg.Pool, http: httpx.AsyncClient) -> None:
    """Pay each order as soon as it has an address."""
    paid: set[str] = set()
    while len(paid) < ORDERS:
        rows = await db.fetch("SELECT provider_payment_id AS id FROM payment WHERE provider_payment_id IS NOT NULL")
        fresh = [row["id"] for row in rows if row["id"] not in paid]
        for payment in fresh:
            await http.post(f"{town.sandbox}/sandbox/api/payments/{payment}/pay", json={"case": "finished"})
            paid.add(payment)
        await asyncio.sleep(0.05)


async def measure(town: Town) -> list[Row]:
    noop = await _noop_rate(town)
    db = await asyncpg.create_pool(town.env["DATABASE_URL"], min_size=1, max_size=2)
    await town.start_web()
    await town.start_worker()
    async with httpx.AsyncClient(base_url=town.shop, headers={"accept": "application/json"}, timeout=60) as http:
        product = await stocked(town, http)
        body = {
            "email": "delivered+p@resend.dev",
            "items": [{"productId": product, "quantity": 1}],
            "payCurrency": "ltc",
        }
        one = request(
            "POST", "/orders", json.dumps(body).encode(), content_type="application/json", accept="application/json"
        )
        before = await db.fetchval("SELECT count(*) FROM customer_order WHERE status = 'fulfilled'")
        jobs_before = await db.fetchval("SELECT count(*) FROM job WHERE status = 'completed'")
        began = time.perf_counter()
        paying = asyncio.create_task(_pay_all(town, db, http))
        await hammer(town.port, [one] * ORDERS, 8)
        await asyncio.wait_for(paying, 120)
        while await db.fetchval("SELECT count(*) FROM customer_order WHERE status = 'fulfilled'") < before + ORDERS:
            if time.perf_counter() - began > 180:
                raise RuntimeError("the pipeline did not finish")
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - began
        jobs = await db.fetchval("SELECT count(*) FROM job WHERE status = 'completed'") - jobs_before
    await db.close()
    town.stop("worker")
    town.stop("web")
    return [
        Row("Pipeline", ORDERS / seconds, "/s", at_least=25),
        Row(
            "Pipeline, jobs",
            jobs / seconds,
            "/s",
            noop,
            "a Dramatiq actor that does nothing",
            None,
            jobs / seconds / noop,
        ),
    ]
