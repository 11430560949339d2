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

from chaos import merchant_verdict, money
from chaos.admin import Admin
from chaos.crowd import Crowd
from chaos.merchant import Merchant, found
from chaos.merchant_orders import Charges
from chaos.receivers import Receivers
from chaos.report import Report
from chaos.town import WITH_WEBHOOKS, Town
from chaos.verdict import (
    Books,
    Breach,
    Finding,
    examine,
    merchants_settled,
    proofs,
    read,
    revealed,
    settled,
)
from chaos.weather import Weather

SAMPLE = 200  # orders whose keys are opened and compared
RETRIES = "1,2,3,5,8,13,20,30,30"  # seconds between attempts to deliver an event
REPEATED = 60  # requests of the merchant that are sent once more at the end
OF_CUSTOMERS = ("ended", "charge", "keys", "letters", "timeline", "jobs")  # rules that are checked on their orders
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
    town, receivers = Town("chaos", WITH_WEBHOOKS, LOG_LEVEL="WARNING", WEBHOOK_RETRY_INTERVALS_TEST=RETRIES), None
    try:
        await town.open()
        receivers = Receivers(seed)
        crowd, weather = await _opened(town, orders, rate, seed, receivers), Weather(town, seed)
        began = time.monotonic()
        in_time = await _storm(crowd, weather, longest)
        calm = time.monotonic()
        receivers.well_behaved = True
        fine = await _with_progress(town, _all_settled(town, crowd, patience))
        settling = time.monotonic() - calm
        report = Report(_facts(crowd, seed, calm - began, settling), weather.struck)
        report.findings += [] if in_time else [f"not every order was placed and paid within {longest:g} s"]
        report.findings += [] if fine else [f"not everything had ended {patience:g} s after the last fault"]
        await _judge(town, crowd, report, random.Random(seed))
        await crowd.admin.close()
    finally:
        if receivers is not None:
            receivers.close()
        await town.close()
    return report


async def _opened(town: Town, orders: int, rate: float, seed: int, receivers: Receivers) -> Crowd:
    """Those who buy, a merchant whose endpoints are registered, and an admin who is signed in."""
    founded = await found(town)
    merchant, admin = Merchant(town, founded, seed, receivers), Admin(town, *founded.admin, seed)
    await merchant.opens_endpoints()
    await admin.signs_in()
    return Crowd(town, orders, rate, seed, charges=Charges(town, merchant, seed), admin=admin)


async def _all_settled(town: Town, crowd: Crowd, patience: float) -> bool:
    """Whether everything has ended, for customers and for the merchant's, whose receivers are all well again."""
    merchant, ends = crowd.charges.merchant, time.monotonic() + patience
    fine = await settled(town, crowd.paying, seconds=patience)
    await merchant.heals_once(anyway=True)
    return await merchants_settled(town, merchant.id, seconds=max(ends - time.monotonic(), 1)) and fine


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
            rows = await town.rows("SELECT status, count(*) AS n FROM customer_order GROUP BY status ORDER BY status")
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
        "orders placed": len(crowd.customers) + len(crowd.charges.orders),
        "of these at the merchant's": len(crowd.charges.orders),
        "of these paid": len(crowd.paying) + sum(it.paid for it in crowd.charges.orders),
        "of these chose between refund and credit": len(crowd.chose),
        "checkouts not answered with 201, tried again": crowd.refusals.total(),
        **{f"admin: {what}": times for what, times in sorted(crowd.admin.did.items())},
        **{f"merchant: {what}": times for what, times in sorted(crowd.charges.merchant.did.items())},
        **{f"merchant refused: {what}": times for what, times in sorted(crowd.charges.merchant.refusals.items())},
        **{f"receiver {what}": times for what, times in sorted(crowd.charges.merchant.receivers.answered.items())},
        "minutes of faults": f"{stormed / 60:.1f}",
        "seconds until everything had ended, once calm": f"{settling:.0f}",
    }


async def _judge(town: Town, crowd: Crowd, report: Report, chance: random.Random) -> None:
    books = await read(town, crowd.customers)
    report.findings += examine(books, crowd.customers, strict=False)
    done = [it for it in crowd.customers if _may_reveal(books.orders.get(it.order_id))]
    report.findings += await revealed(town, books, chance.sample(done, min(SAMPLE, len(done))))
    report.looked_at |= dict.fromkeys(OF_CUSTOMERS, f"{len(crowd.customers)} orders")
    report.looked_at |= {"reveal": f"{min(SAMPLE, len(done))} orders"}
    report.findings += await town_at_large(town, books, crowd, report)
    await _judge_money(town, crowd, report, chance)
    endings = await town.rows("SELECT status, count(*) AS n FROM customer_order GROUP BY status ORDER BY status")
    report.facts |= {f"orders {row['status']}": row["n"] for row in endings}
    parked = await town.rows("SELECT count(*) AS n FROM customer_order WHERE cause IS NOT NULL")
    report.facts |= {"before a person, with a cause": parked[0]["n"]}
    report.facts |= {"units sold by the supplier": _sold(books), "keys sealed": sum(map(len, books.keys.values()))}
    for row in await town.rows(
        "SELECT name, count(*) AS n FROM job WHERE status = 'failed' GROUP BY name ORDER BY name"
    ):
        report.facts[f"dead letters: {row['name']}"] = row["n"]
    took = await town.rows(
        """SELECT percentile_disc(ARRAY[0.5, 0.95, 1]) WITHIN GROUP (ORDER BY fulfilled_at - paid_at) AS p
           FROM customer_order WHERE fulfilled_at IS NOT NULL"""
    )
    if took[0]["p"]:
        p50, p95, most = (span.total_seconds() for span in took[0]["p"])
        report.facts["seconds from paid to fulfilled: p50, p95, most"] = f"{p50:.1f}, {p95:.1f}, {most:.1f}"


def _may_reveal(order: dict[str, Any] | None) -> bool:
    """Whether its keys are its customer's: while all of its money is on its way back they are not."""
    return order is not None and order["status"] == "fulfilled" and order["frozen_at"] is None


async def _judge_money(town: Town, crowd: Crowd, report: Report, chance: random.Random) -> None:
    """The rules of received money and of merchants' orders, with what each looked at."""
    merchant = crowd.charges.merchant
    kept = sorted(key for key, ids in merchant.answered.items() if ids and ids[0])
    again = {key: await merchant.repeats(key) for key in chance.sample(kept, min(REPEATED, len(kept)))}
    repeated = {key: (merchant.answered[key][0], answer) for key, answer in again.items()}
    picture, funds = await merchant_verdict.read(town, merchant, crowd.charges.orders, repeated), await money.read(town)
    report.findings += [Breach("merchants", what) for what in crowd.charges.not_placed]
    for code, of_merchants in merchant_verdict.CHECKS.items():
        report.findings += [Breach(code, what) for what in of_merchants(picture)]
    for code, of_money in money.CHECKS.items():
        report.findings += [Breach(code, what) for what in of_money(funds)]
    report.looked_at |= merchant_verdict.counts(picture) | money.counts(funds)


def _sold(books: Books) -> int:
    return sum(order["products"][0]["qty"] for orders in books.supplied.values() for order in orders)


async def town_at_large(town: Town, books: Books, crowd: Crowd, report: Report) -> list[Finding | str]:
    """What no single order shows: sales without a reservation, the ledger, the audit chain, keys in logs."""
    found: list[Finding | str] = []
    ours = {row["id"] for row in await town.rows("SELECT id::text FROM reservation")}
    found += [f"the supplier sold {it} to nobody" for it in books.supplied.keys() - ours]
    proof = await proofs(town)
    report.looked_at |= {"ledger": f"{proof['entries']} entries"}
    by_id = {it.order_id: it for it in crowd.customers}
    for order_id, wrong in proof["ledger"]:
        customer = by_id.get(order_id)
        found.append(Finding("ledger", customer, wrong) if customer else f"ledger of {order_id}: {wrong}")
    if proof["audit"]:
        found.append(f"the audit log does not verify: {proof['audit']}")
    twice = {order_id: times for order_id, times in crowd.chose.items() if times > 1}
    found += [f"order {order_id}: {times} choices of the same money" for order_id, times in twice.items()]
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
