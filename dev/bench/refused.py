"""Genuine notices while 10,000 badly signed ones come in at 32 connections. Workers stopped."""

import asyncio

import asyncpg

from dev.bench.environment import Measured
from dev.bench.ipn import notice, signed
from dev.bench.load import Result, hammer, request
from dev.bench.report import Row

FLOOD, AT_ONCE = 10_000, 32
GENUINE_AT_ONCE = 4
FIRST = 2_000_000  # numbers of notices that no other measurement uses


def forged(number: int) -> bytes:
    body = notice(number)
    return request(
        "POST", "/webhooks/nowpayments/ipn", body, content_type="application/json", x_nowpayments_sig="0123abcd" * 16
    )


async def beside(env: Measured, flood: "asyncio.Task[Result]") -> Result:
    """Genuine notices, one behind the other on each connection, for as long as the flood lasts."""
    together, first = Result(0, []), FIRST
    while not flood.done():
        some = await hammer(env.port, [signed(notice(first + n)) for n in range(100)], GENUINE_AT_ONCE)
        first += 100
        together.latencies += some.latencies
        together.statuses = {200: together.statuses.get(200, 0) + some.statuses[200]}
    together.latencies.sort()
    return together


async def measure(env: Measured) -> list[Row]:
    await env.start_web()
    await hammer(env.port, [signed(notice(FIRST - 1 - n)) for n in range(200)], GENUINE_AT_ONCE)
    alone = await hammer(env.port, [signed(notice(FIRST - 1000 - n)) for n in range(500)], GENUINE_AT_ONCE)
    flood = asyncio.create_task(hammer(env.port, [forged(n) for n in range(FLOOD)], AT_ONCE))
    genuine = await beside(env, flood)
    false = await flood
    await env.stop("web")  # it writes the rest of its counts as it stops
    assert false.statuses == {401: FLOOD}, false.statuses
    db = await asyncpg.connect(env.variables["DATABASE_URL"])
    rows, posts = await db.fetchrow("SELECT count(*), sum(posts) FROM refused_notice")
    await db.close()
    assert posts == FLOOD, posts
    return [
        Row(
            "IPN p95 beside a forged flood", genuine.percentile(0.95), "ms", alone.percentile(0.95), "alone", limit=200
        ),
        Row("forged posts refused", false.rate, "/s"),
        Row("rows they leave", float(rows), "", limit=4),
    ]
