"""POST /orders, at 16 connections, beside its own inserts by bare asyncpg."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import httpx

from dev.bench.environment import Measured
from dev.bench.load import Result, hammer, request
from dev.bench.report import Row

COUNT, CONNECTIONS = 2000, 16

INSERTS = (  # the rows that one order is: itself, an item, its timeline and event, two jobs, a link and a letter
    """INSERT INTO customer_order (id, email, status, fulfillment_status, currency, subtotal, discount, total,
      created_at)
       VALUES ($1, 'x@y.z', 'created', 'pending', 'USD', 10, 0, 10, $2)""",
    "INSERT INTO timeline (subject, last_seq) VALUES ($1, CASE WHEN $2::timestamptz IS NULL THEN 0 ELSE 1 END)",
    "INSERT INTO event (subject, seq, kind, data, at) VALUES ($1, 1, 'order.created', '{}', $2)",
    """INSERT INTO job (id, name, queue, args, subject, status, run_at, created_at)
       VALUES (gen_random_uuid(), 'floor.nothing', 'orders', '{}', $1, 'completed', $2, $2)""",
    """INSERT INTO link (id, email, purpose, order_id, created_at, expires_at)
       VALUES (gen_random_uuid(), 'x@y.z', 'order', $1, $2, $2)""",
    """INSERT INTO mail (id, subject, kind, recipient, context, status, created_at)
       VALUES (gen_random_uuid(), $1, 'order_received', 'x@y.z', '{}', 'sent', $2)""",
    """INSERT INTO job (id, name, queue, args, subject, status, run_at, created_at)
       VALUES (gen_random_uuid(), 'floor.nothing', 'mail', '{}', $1, 'completed', $2, $2)""",
)
ITEM = """INSERT INTO order_item
  (id, order_id, product_id, position, name, slug, platform, quantity, unit_price, status)
  VALUES (gen_random_uuid(), $1, $2, 0, 'a', 'b', 'c', 1, 10, 'pending')"""


async def floor(env: Measured, product: str) -> Result:
    pool = await asyncpg.create_pool(env.variables["DATABASE_URL"], min_size=16, max_size=16)
    left = iter(range(COUNT))
    latencies: list[float] = []

    async def run() -> None:
        for _ in left:
            began, order, now = time.perf_counter(), uuid4(), datetime.now(UTC) - timedelta(days=1)
            async with pool.acquire() as conn, conn.transaction():
                for sql in INSERTS:
                    await conn.execute(sql, order, now)
                await conn.execute(ITEM, order, product)
            latencies.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(run() for _ in range(CONNECTIONS)))
    seconds = time.perf_counter() - began
    await pool.close()
    return Result(seconds, sorted(latencies))


async def measure(env: Measured) -> list[Row]:
    await env.start_web()
    async with httpx.AsyncClient() as http:
        items = (await http.get(f"{env.url}/", headers={"accept": "application/json"})).json()["items"]
    product = max(items, key=lambda item: item["stock"])["productId"]
    body = json.dumps(
        {"email": "delivered+bench@resend.dev", "items": [{"productId": product, "quantity": 1}], "payCurrency": "ltc"}
    )
    one = request("POST", "/orders", body.encode(), content_type="application/json", accept="application/json")
    await hammer(env.port, [one] * 200, CONNECTIONS)
    floors = [await floor(env, product)]
    ours = await hammer(env.port, [one] * COUNT, CONNECTIONS)
    floors.append(await floor(env, product))
    await env.stop("web")
    assert ours.statuses == {201: COUNT}, ours.statuses
    base = sum(f.rate for f in floors) / len(floors)
    return [
        Row("POST /orders", ours.rate, "/s", base, "its own inserts by bare asyncpg", 0.50, ours.rate / base),
        Row("POST /orders p99", ours.percentile(0.99), "ms", floors[0].percentile(0.99), "the same", limit=100),
    ]
