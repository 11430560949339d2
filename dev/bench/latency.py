"""Paid to revealable, one order at a time, providers answering at once; and once more after a minute of silence."""

import asyncio
from datetime import datetime

import asyncpg
import httpx

from dev.bench.environment import Measured
from dev.bench.report import Row

ORDERS = 60
SILENCE = 60.0  # seconds


async def _buy(env: Measured, http: httpx.AsyncClient, product: str) -> str:
    body = {"email": "delivered+l@resend.dev", "items": [{"productId": product, "quantity": 1}], "payCurrency": "ltc"}
    placed = (await http.post("/orders", json=body)).json()
    http.cookies.clear()
    access = {"authorization": f"Bearer {placed['accessToken']}"}
    for _ in range(500):
        status = (await http.get(f"/fulfillment/{placed['orderId']}/status", headers=access)).json()
        if status["payment"] is not None:
            break
        await asyncio.sleep(0.01)
    return f"{placed['orderId']} {status['payment']['paymentId']} {placed['accessToken']}"


async def _paid_to_revealable(env: Measured, http: httpx.AsyncClient, db: asyncpg.Connection, bought: str) -> float:
    """From the notice's arrival to the order's last commit, in milliseconds: all of it is ours and the sandbox's."""
    order, payment, _ = bought.split()
    await http.post(
        f"{env.sandbox_url}/sandbox/api/payments/{payment}/pay", json={"fraction": "1.0", "case": "finished"}
    )
    for _ in range(1000):
        done: datetime | None = await db.fetchval("SELECT fulfilled_at FROM customer_order WHERE id = $1", order)
        if done is not None:
            break
        await asyncio.sleep(0.01)
    else:
        raise RuntimeError(f"order {order} was not fulfilled")
    came: datetime = await db.fetchval(
        "SELECT received_at FROM inbound_webhook WHERE provider = 'nowpayments' AND dedupe LIKE $1 || ':finished:%'",
        payment,
    )
    return (done - came).total_seconds() * 1000


async def measure(env: Measured) -> list[Row]:
    await env.start_web()
    await env.start_worker()
    db = await asyncpg.connect(env.variables["DATABASE_URL"])
    async with httpx.AsyncClient(base_url=env.url, headers={"accept": "application/json"}, timeout=30) as http:
        product = await stocked(env, http)
        times = [await _paid_to_revealable(env, http, db, await _buy(env, http, product)) for _ in range(ORDERS)]
        waiting = [await _buy(env, http, product) for _ in range(3)]
        await asyncio.sleep(SILENCE)
        quiet = await _paid_to_revealable(env, http, db, waiting[0])
        await db.close()
    await env.stop("worker")
    await env.stop("web")
    times = sorted(times[5:])
    return [
        Row("Paid to revealable p50", times[len(times) // 2], "ms", limit=80),
        Row("Paid to revealable p99", times[int(len(times) * 0.99)], "ms", limit=250),
        Row("… after a minute of silence", quiet, "ms", limit=250),
    ]


async def stocked(env: Measured, http: httpx.AsyncClient) -> str:
    """A product with stock for the whole run."""
    items = (await http.get("/")).json()["items"]
    product = max(items, key=lambda item: item["stock"])["productId"]
    listed = (await http.get(f"{env.sandbox_url}/sandbox/api/products")).json()
    async with asyncpg.create_pool(env.variables["DATABASE_URL"], min_size=1, max_size=1) as pool:
        supplier = await pool.fetchval(
            "UPDATE product SET stock = 100000 WHERE id = $1 RETURNING supplier_product_id", product
        )
    assert any(p.get("productId") == supplier for p in listed)
    change = {"stock": 100000, "textStock": 100000}
    (await http.post(f"{env.sandbox_url}/sandbox/api/products/{supplier}", json=change)).raise_for_status()
    await http.post(f"{env.sandbox_url}/sandbox/api/settings", json={"balance": "10000000"})
    return str(product)
