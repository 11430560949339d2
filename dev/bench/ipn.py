"""IPN ingest: verified, stored, job posted, durable, 200. Workers stopped."""

import asyncio
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg

from dev.bench.environment import Measured
from dev.bench.load import Result, hammer, request
from dev.bench.report import Row

COUNT, CONNECTIONS = 6000, 32
SECRET = b"sandbox-ipn-secret"


def notice(number: int) -> bytes:
    """A notice of the captured shape (nowpayments.md, 6), sorted and compact."""
    body = {
        "actually_paid": 0.00656612, "actually_paid_at_fiat": 0,
        "fee": {"currency": "btc", "depositFee": 0.5, "serviceFee": 0.25, "withdrawalFee": 0},
        "invoice_id": None, "order_description": None, "order_id": str(uuid4()), "outcome_amount": 0.00022187,
        "outcome_currency": "btc", "parent_payment_id": None, "pay_address": "0xabc", "pay_amount": 0.00656612,
        "pay_currency": "eth", "payin_extra_id": None, "payment_extra_ids": None, "payment_id": 5800000001 + number,
        "payment_status": "waiting", "price_amount": 20, "price_currency": "usd", "purchase_id": "5170000001",
        "updated_at": 1765249461097,
    }  # fmt: skip
    return json.dumps(body, separators=(",", ":"), sort_keys=True).encode()


def signed(body: bytes) -> bytes:
    signature = hmac.new(SECRET, body, hashlib.sha512).hexdigest()
    return request(
        "POST", "/webhooks/nowpayments/ipn", body, content_type="application/json", x_nowpayments_sig=signature
    )


async def floor(env: Measured) -> Result:
    """The same two inserts, each pair committed, by bare asyncpg at the same concurrency."""
    pool = await asyncpg.create_pool(env.variables["DATABASE_URL"], min_size=16, max_size=16)
    bodies = iter([notice(1_000_000 + n) for n in range(COUNT)])
    latencies: list[float] = []

    async def run() -> None:
        for body in bodies:
            began, now, one, two = time.perf_counter(), datetime.now(UTC), uuid4(), uuid4()
            async with pool.acquire() as conn, conn.transaction():
                await conn.execute(
                    """INSERT INTO inbound_webhook (id, provider, dedupe, headers, body, received_at, status)
                       VALUES ($1, 'floor', $2, '{}', $3, $4, 'pending')""",
                    one, str(one), body, now,
                )  # fmt: skip
                await conn.execute(
                    """INSERT INTO job (id, name, queue, args, status, run_at, created_at)
                       VALUES ($1, 'floor.nothing', 'orders', $2, 'completed', $3, $3)""",
                    two, json.dumps({"notice_id": str(one)}), now,
                )  # fmt: skip
            latencies.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(run() for _ in range(CONNECTIONS)))
    seconds = time.perf_counter() - began
    await pool.close()
    return Result(seconds, sorted(latencies))


async def measure(env: Measured) -> list[Row]:
    await env.start_web()
    requests = [signed(notice(n)) for n in range(COUNT)]
    await hammer(env.port, [signed(notice(500_000 + n)) for n in range(500)], CONNECTIONS)
    floors = [await floor(env)]
    ours = await hammer(env.port, requests, CONNECTIONS)
    floors.append(await floor(env))
    repeats = await hammer(env.port, requests, CONNECTIONS)
    await env.stop("web")
    assert ours.statuses == repeats.statuses == {200: COUNT}, (ours.statuses, repeats.statuses)
    base = sum(f.rate for f in floors) / len(floors)
    return [
        Row("IPN ingest", ours.rate, "/s", base, "two inserts by bare asyncpg", 0.70, ours.rate / base),
        Row("IPN ingest p99", ours.percentile(0.99), "ms", floors[0].percentile(0.99), "the same", limit=80),
        Row("IPN repeats", repeats.rate, "/s", ours.rate, "IPN ingest", 1.0, repeats.rate / ours.rate),
    ]
