"""POST /api/v1/payments at 32 connections, and the same requests once more by their Idempotency-Keys."""

import json

import asyncpg

from app.core import db
from app.merchants import api_keys, service
from dev.bench.environment import Measured
from dev.bench.load import hammer, request
from dev.bench.report import Row

COUNT, WARM, CONNECTIONS = 2000, 200, 32
CARD = {"number": "4242424242424242", "expiry": "12/34", "cvv": "123"}


async def _key() -> dict[str, str]:
    """The headers of a new merchant's key of test mode."""
    await db.open_pool(2)
    try:
        issued = await api_keys.issue(
            await service.create_merchant("Bench"), test=True, name="bench", scopes=api_keys.SCOPES
        )
    finally:
        await db.close_pool()
    return {"content_type": "application/json", "x_api_key": issued.key, "x_api_secret": issued.secret}


async def measure(env: Measured) -> list[Row]:
    headers = await _key()
    await env.start_web()
    body = json.dumps({"amount": "49.90", "currency": "USD", "reference": "bench"}).encode()
    order = request("POST", "/api/v1/orders", body, **headers)
    orders = await hammer(env.port, [order] * (COUNT + WARM), CONNECTIONS)
    assert orders.statuses == {201: COUNT + WARM}, orders.statuses
    own = await asyncpg.connect(env.variables["DATABASE_URL"])
    rows = await own.fetch("SELECT id FROM customer_order WHERE reference = 'bench'")
    await own.close()
    asked = [
        request("POST", "/api/v1/payments", text.encode(), idempotency_key=f"bench-{number}", **headers)
        for number, row in enumerate(rows)
        for text in [json.dumps({"order_id": str(row["id"]), "method": "card", "card": CARD})]
    ]
    await hammer(env.port, asked[:WARM], CONNECTIONS)  # each connection has its statements prepared
    made = await hammer(env.port, asked[WARM:], CONNECTIONS)
    again = await hammer(env.port, asked[WARM:], CONNECTIONS)
    await env.stop("web")
    assert made.statuses == again.statuses == {201: COUNT}, (made.statuses, again.statuses)
    return [
        Row("API orders", orders.rate, "/s"),
        Row("API payments", made.rate, "/s"),
        Row("API payments p99, 32 connections", made.percentile(0.99), "ms", limit=100),
        Row("idempotent replays", again.rate, "/s", made.rate, "the payments themselves", 1, again.rate / made.rate),
        Row("idempotent replays p99", again.percentile(0.99), "ms", limit=100),
    ]
