"""``make chaos``, or ``python -m chaos --orders 300 --seed 7``: buy while everything fails, and see what came of it."""

import asyncio
import random
import re
import secrets
import sys
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import click

from chaos.crowd import Crowd
from chaos.report import Report
from chaos.town import Town
from chaos.verdict import Books, Finding, examine, proofs, read, revealed, settled
from chaos.weather import Weather

SAMPLE = 200  # orders whose keys are opened and compared
OVERUSED = """SELECT * FROM (
  SELECT order_id::text AS id, sum(amount - from_price) AS used, (
    SELECT coalesce(sum(amount), 0) FROM ledger_entry e
    WHERE e.order_id = u.order_id AND account = 'received') AS received
  FROM money_use u WHERE status <> 'released' GROUP BY order_id) x WHERE used > received"""
SERIAL = re.compile(rb"[A-Z2-9]{5}-[A-Z2-9]{5}-[A-Z2-9]{5}")


@click.command()
@click.option("--orders", default=10_000, show_default=True)
@click.option("--seed", type=int, help="Of the orders and the weather; drawn and printed when not given.")
@click.option("--rate", default=12.0, show_default=True, help="Orders a second, at the most.")
@click.option("--minutes", default=90.0, show_default=True, help="The longest it may take to place and pay them.")
@click.option(
    "--patience", default=20.0, show_default=True, help="Minutes in which all must have ended once it is calm."
)
@click.option("--report", "path", type=click.Path(path_type=Path), default=Path("var/chaos-report.md"))
def main(orders: int, seed: int | None, rate: float, minutes: float, patience: float, path: Path) -> None:
    """Place orders by HTTP and pay them while processes, servers, messages and providers fail at random."""
    seed = secrets.randbelow(10**6) if seed is None else seed
    print(f"{orders} orders, seed {seed}", flush=True)
    made = asyncio.run(play(orders, seed, rate, minutes * 60, patience * 60))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(made.text())
    print(f"\n{made.text()}\nWritten to {path}")
    sys.exit(0 if made.fine else 1)


async def play(orders: int, seed: int, rate: float, longest: float, patience: float) -> Report:
    """The whole of it, in a town of its own. Times in seconds."""
    town = Town("chaos", LOG_LEVEL="WARNING")
    try:
        await town.open()
        crowd, weather = Crowd(town, orders, rate, seed), Weather(town, seed)
        began = time.monotonic()
        in_time = await _storm(crowd, weather, longest)
        calm = time.monotonic()
        fine = await _with_progress(town, settled(town, crowd.paying, seconds=patience))
        settling = time.monotonic() - calm
        report = Report(_facts(crowd, seed, calm - began, settling), weather.struck)
        report.findings += [] if in_time else [f"not every order was placed and paid within {longest:g} s"]
        report.findings += [] if fine else [f"not everything had ended {patience:g} s after the last fault"]
        await _judge(town, crowd, report, random.Random(seed))
    finally:
        await town.close()
    return report


async def _storm(crowd: Crowd, weather: Weather, longest: float) -> bool:
    """Buy while faults strike; then calm. False when it took too long."""
    blowing, shopping = asyncio.create_task(weather.blow()), asyncio.create_task(crowd.shop())
    both = asyncio.wait({blowing, shopping}, timeout=longest, return_when=asyncio.FIRST_COMPLETED)
    done, _ = await _with_progress(crowd.town, both)
    for task in done:
        task.result()  # neither may have failed
    for task in (blowing, shopping):
        task.cancel()
    await asyncio.gather(blowing, shopping, return_exceptions=True)
    await weather.clear()
    return shopping in done


async def _with_progress(town: Town, work: Awaitable[Any]) -> Any:
    async def tell() -> None:
        while True:
            rows = await town.rows("SELECT status, count(*) AS n FROM purchase GROUP BY status ORDER BY status")
            jobs = await town.rows("SELECT count(*) AS n FROM job WHERE status IN ('pending', 'processing')")
            told = ", ".join(f"{row['n']} {row['status']}" for row in rows)
            print(f"{time.strftime('%H:%M:%S')}  {told}; {jobs[0]['n']} jobs open", flush=True)
            await asyncio.sleep(10)

    telling = asyncio.create_task(tell())
    try:
        return await work
    finally:
        telling.cancel()


def _facts(crowd: Crowd, seed: int, stormed: float, settling: float) -> dict[str, object]:
    return {
        "seed": seed,
        "orders placed": len(crowd.customers),
        "of these paid": len(crowd.paying),
        "of these chose between refund and credit": len(crowd.chose),
        "checkouts not answered with 201, tried again": crowd.refusals.total(),
        "minutes of faults": f"{stormed / 60:.1f}",
        "seconds until everything had ended, once calm": f"{settling:.0f}",
    }


async def _judge(town: Town, crowd: Crowd, report: Report, chance: random.Random) -> None:
    books = await read(town, crowd.customers)
    report.findings += examine(books, crowd.customers, strict=False)
    done = [it for it in crowd.customers if books.orders.get(it.order_id, {}).get("status") == "fulfilled"]
    report.findings += await revealed(town, books, chance.sample(done, min(SAMPLE, len(done))))
    report.findings += await town_at_large(town, books, crowd)
    endings = await town.rows("SELECT status, count(*) AS n FROM purchase GROUP BY status ORDER BY status")
    report.facts |= {f"orders {row['status']}": row["n"] for row in endings}
    parked = await town.rows("SELECT count(*) AS n FROM purchase WHERE cause IS NOT NULL")
    report.facts |= {"before a person, with a cause": parked[0]["n"]}
    report.facts |= {"units sold by the supplier": _sold(books), "keys sealed": sum(map(len, books.keys.values()))}
    for row in await town.rows(
        "SELECT name, count(*) AS n FROM job WHERE status = 'failed' GROUP BY name ORDER BY name"
    ):
        report.facts[f"dead letters: {row['name']}"] = row["n"]
    took = await town.rows(
        """SELECT percentile_disc(ARRAY[0.5, 0.95, 1]) WITHIN GROUP (ORDER BY fulfilled_at - paid_at) AS p
           FROM purchase WHERE fulfilled_at IS NOT NULL"""
    )
    if took[0]["p"]:
        p50, p95, most = (span.total_seconds() for span in took[0]["p"])
        report.facts["seconds from paid to fulfilled: p50, p95, most"] = f"{p50:.1f}, {p95:.1f}, {most:.1f}"


def _sold(books: Books) -> int:
    return sum(order["products"][0]["qty"] for orders in books.supplied.values() for order in orders)


async def town_at_large(town: Town, books: Books, crowd: Crowd) -> list[Finding | str]:
    """What no single order shows: sales without a reservation, the ledger, the audit chain, keys in logs."""
    found: list[Finding | str] = []
    ours = {row["id"] for row in await town.rows("SELECT id::text FROM reservation")}
    found += [f"the supplier sold {it} to nobody" for it in books.supplied.keys() - ours]
    proof = await proofs(town)
    by_id = {it.order_id: it for it in crowd.customers}
    for order_id, wrong in proof["ledger"]:
        customer = by_id.get(order_id)
        found.append(Finding("ledger", customer, wrong) if customer else f"ledger of {order_id}: {wrong}")
    if proof["audit"]:
        found.append(f"the audit log does not verify: {proof['audit']}")
    twice = {order_id: times for order_id, times in crowd.chose.items() if times > 1}
    found += [f"order {order_id}: {times} choices of the same money" for order_id, times in twice.items()]
    found += [f"order {row['id']}: {row['used']} used, {row['received']} came in" for row in await town.rows(OVERUSED)]
    sold = {key["serial"].encode() for orders in books.supplied.values() for o in orders for key in o["keys"]}
    for log in sorted((town.var / "logs").glob("*.log")):
        if seen := sold & set(SERIAL.findall(log.read_bytes())):
            found.append(f"{len(seen)} keys in clear in {log.name}")
    stuck = """SELECT count(*) AS n FROM job WHERE status = 'processing'
               OR (status = 'pending' AND run_at < now() - interval '30 s')"""
    if count := (await town.rows(stuck))[0]["n"]:
        found.append(f"{count} jobs are stuck")
    return found


if __name__ == "__main__":
    main()
