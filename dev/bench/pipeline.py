"""Whole orders through all jobs with one worker process, sandbox included; beside a no-op Dramatiq actor's rate."""

import asyncio
import json
import time

import asyncpg
import httpx

from dev.bench.environment import Measured
from dev.bench.latency import stocked
from dev.bench.load import hammer, request
from dev.bench.report import Row

ORDERS = 300
NOOPS = 3000


async def _noop_rate(env: Measured) -> float:
    """Messages a second of an actor that does nothing, with the same worker options and broker."""
    from dev.bench.noop import broker, nothing  # noqa: PLC0415 - its broker comes from the environment

    for _ in range(NOOPS):
        nothing.send()
    await env.start("noop", "dramatiq dev.bench.noop --processes 1 --threads 16")
    while broker.do_qsize("noop") == NOOPS:
        await asyncio.sleep(0.01)
    began = time.perf_counter()
    broker.join("noop", timeout=60_000, interval=5)
    rate = NOOPS / (time.perf_counter() - began)
    await env.stop("noop")
    return rate


async def _pay_all(env: Measured, db: asyncpg.Pool, http: httpx.AsyncClient) -> None:
    """Pay each order as soon as it has an address."""
    paid: set[str] = set()
    while len(paid) < ORDERS:
        rows = await db.fetch("SELECT provider_payment_id AS id FROM payment WHERE provider_payment_id IS NOT NULL")
        fresh = [row["id"] for row in rows if row["id"] not in paid]
        for payment in fresh:
            await http.post(f"{env.sandbox_url}/sandbox/api/payments/{payment}/pay", json={"case": "finished"})
            paid.add(payment)
        await asyncio.sleep(0.05)


async def measure(env: Measured) -> list[Row]:
    noop = await _noop_rate(env)
    db = await asyncpg.create_pool(env.variables["DATABASE_URL"], min_size=1, max_size=2)
    await env.start_web()
    await env.start_worker()
    async with httpx.AsyncClient(base_url=env.url, headers={"accept": "application/json"}, timeout=60) as http:
        product = await stocked(env, http)
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
        paying = asyncio.create_task(_pay_all(env, db, http))
        await hammer(env.port, [one] * ORDERS, 8)
        await asyncio.wait_for(paying, 120)
        while await db.fetchval("SELECT count(*) FROM customer_order WHERE status = 'fulfilled'") < before + ORDERS:
            if time.perf_counter() - began > 180:
                raise RuntimeError("the pipeline did not finish")
            await asyncio.sleep(0.05)
        seconds = time.perf_counter() - began
        jobs = await db.fetchval("SELECT count(*) FROM job WHERE status = 'completed'") - jobs_before
    await db.close()
    await env.stop("worker")
    await env.stop("web")
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
