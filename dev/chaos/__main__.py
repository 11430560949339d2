"""``make chaos``, or ``python -m dev.chaos --orders 300 --seed 7``: buy while everything fails, then check."""

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

from app.orders.reasons import stands
from dev.chaos import merchant_verdict, money
from dev.chaos.admin import Admin
from dev.chaos.faults import Faults
from dev.chaos.load import Load
from dev.chaos.merchant import Merchant, create_accounts
from dev.chaos.merchant_orders import Charges
from dev.chaos.receivers import Receivers
from dev.chaos.report import Report
from dev.chaos.verdict import (
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
from dev.environment import WITH_WEBHOOKS, Environment

SAMPLE = 200  # orders whose keys are opened and compared
RETRIES = "1,2,3,5,8,13,20,30,30"  # seconds between attempts to deliver an event
REPEATED = 60  # requests of the merchant that are sent once more at the end
OF_CUSTOMERS = ("ended", "charge", "keys", "letters", "timeline", "jobs")  # rules that are checked on their orders
SERIAL = re.compile(rb"[A-Z2-9]{5}-[A-Z2-9]{5}-[A-Z2-9]{5}")


@click.command()
@click.option("--orders", default=10_000, show_default=True)
@click.option("--seed", type=int, help="Of the orders and the faults; drawn and printed when not given.")
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
    made = asyncio.run(run(orders, seed, rate, minutes * 60, patience * 60))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(made.text())
    print(f"\n{made.text()}\nWritten to {path}")
    sys.exit(0 if made.fine else 1)


async def run(orders: int, seed: int, rate: float, longest: float, patience: float) -> Report:
    """Run all of it, in an environment of its own. Times in seconds."""
    env, receivers = (
        Environment("chaos", WITH_WEBHOOKS, LOG_LEVEL="WARNING", WEBHOOK_RETRY_INTERVALS_TEST=RETRIES),
        None,
    )
    try:
        await env.open()
        receivers = Receivers(seed)
        load, faults = await _opened(env, orders, rate, seed, receivers), Faults(env, seed)
        began = time.monotonic()
        in_time = await _under_faults(load, faults, longest)
        calm = time.monotonic()
        receivers.well_behaved = True
        fine = await _with_progress(env, _all_settled(env, load, patience))
        settling = time.monotonic() - calm
        report = Report(_facts(load, seed, calm - began, settling), faults.struck)
        report.findings += [] if in_time else [f"not every order was placed and paid within {longest:g} s"]
        report.findings += [] if fine else [f"not everything had ended {patience:g} s after the last fault"]
        await _judge(env, load, report, random.Random(seed))
        await load.admin.close()
    finally:
        if receivers is not None:
            receivers.close()
        await env.close()
    return report


async def _opened(env: Environment, orders: int, rate: float, seed: int, receivers: Receivers) -> Load:
    """Those who buy, a merchant whose endpoints are registered, and an admin who is signed in."""
    accounts = await create_accounts(env)
    merchant, admin = Merchant(env, accounts, seed, receivers), Admin(env, *accounts.admin, seed)
    await merchant.opens_endpoints()
    await admin.signs_in()
    return Load(env, orders, rate, seed, charges=Charges(env, merchant, seed), admin=admin)


async def _all_settled(env: Environment, load: Load, patience: float) -> bool:
    """Whether everything has ended, for customers and for the merchant's, whose receivers are all well again."""
    merchant, ends = load.charges.merchant, time.monotonic() + patience
    fine = await settled(env, load.paying, seconds=patience)
    await merchant.heals_once(anyway=True)
    return await merchants_settled(env, merchant.id, seconds=max(ends - time.monotonic(), 1)) and fine


async def _under_faults(load: Load, faults: Faults, longest: float) -> bool:
    """Buy while faults strike, then clear them. False when it took too long."""
    striking, shopping = asyncio.create_task(faults.strike()), asyncio.create_task(load.shop())
    both = asyncio.wait({striking, shopping}, timeout=longest, return_when=asyncio.FIRST_COMPLETED)
    done, _ = await _with_progress(load.env, both)
    for task in done:
        task.result()  # neither may have failed
    for task in (striking, shopping):
        task.cancel()
    await asyncio.gather(striking, shopping, return_exceptions=True)
    await faults.clear()
    return shopping in done


async def _with_progress(env: Environment, work: Awaitable[Any]) -> Any:
    async def tell() -> None:
        while True:
            rows = await env.rows("SELECT status, count(*) AS n FROM customer_order GROUP BY status ORDER BY status")
            jobs = await env.rows("SELECT count(*) AS n FROM job WHERE status IN ('pending', 'processing')")
            told = ", ".join(f"{row['n']} {row['status']}" for row in rows)
            print(f"{time.strftime('%H:%M:%S')}  {told}; {jobs[0]['n']} jobs open", flush=True)
            await asyncio.sleep(10)

    telling = asyncio.create_task(tell())
    try:
        return await work
    finally:
        telling.cancel()


def _facts(load: Load, seed: int, faulty: float, settling: float) -> dict[str, object]:
    return {
        "seed": seed,
        "orders placed": len(load.customers) + len(load.charges.orders),
        "of these at the merchant's": len(load.charges.orders),
        "of these paid": len(load.paying) + sum(it.paid for it in load.charges.orders),
        "of these chose between refund and credit": len(load.chose),
        "checkouts not answered with 201, tried again": load.refusals.total(),
        **{f"admin: {what}": times for what, times in sorted(load.admin.did.items())},
        **{f"merchant: {what}": times for what, times in sorted(load.charges.merchant.did.items())},
        **{f"merchant refused: {what}": times for what, times in sorted(load.charges.merchant.refusals.items())},
        **{f"receiver {what}": times for what, times in sorted(load.charges.merchant.receivers.answered.items())},
        "minutes of faults": f"{faulty / 60:.1f}",
        "seconds until everything had ended, once calm": f"{settling:.0f}",
    }


async def _judge(env: Environment, load: Load, report: Report, chance: random.Random) -> None:
    books = await read(env, load.customers)
    report.findings += examine(books, load.customers, strict=False)
    done = [it for it in load.customers if _may_reveal(books.orders.get(it.order_id))]
    report.findings += await revealed(env, books, chance.sample(done, min(SAMPLE, len(done))))
    report.looked_at |= dict.fromkeys(OF_CUSTOMERS, f"{len(load.customers)} orders")
    report.looked_at |= {"reveal": f"{min(SAMPLE, len(done))} orders"}
    report.findings += await overall_findings(env, books, load, report)
    await _judge_money(env, load, report, chance)
    endings = await env.rows("SELECT status, count(*) AS n FROM customer_order GROUP BY status ORDER BY status")
    report.facts |= {f"orders {row['status']}": row["n"] for row in endings}
    parked = await env.rows(f"SELECT count(*) AS n FROM customer_order p WHERE {stands('p')}")
    report.facts |= {"before a person, with a reason": parked[0]["n"]}
    report.facts |= {"units sold by the supplier": _sold(books), "keys sealed": sum(map(len, books.keys.values()))}
    for row in await env.rows(
        "SELECT name, count(*) AS n FROM job WHERE status = 'failed' GROUP BY name ORDER BY name"
    ):
        report.facts[f"dead letters: {row['name']}"] = row["n"]
    took = await env.rows(
        """SELECT percentile_disc(ARRAY[0.5, 0.95, 1]) WITHIN GROUP (ORDER BY fulfilled_at - paid_at) AS p
           FROM customer_order WHERE fulfilled_at IS NOT NULL"""
    )
    if took[0]["p"]:
        p50, p95, most = (span.total_seconds() for span in took[0]["p"])
        report.facts["seconds from paid to fulfilled: p50, p95, most"] = f"{p50:.1f}, {p95:.1f}, {most:.1f}"


def _may_reveal(order: dict[str, Any] | None) -> bool:
    """Whether its keys are its customer's: while all of its money is on its way back they are not."""
    return order is not None and order["status"] == "fulfilled" and order["frozen_at"] is None


async def _judge_money(env: Environment, load: Load, report: Report, chance: random.Random) -> None:
    """The rules of received money and of merchants' orders, with what each looked at."""
    merchant = load.charges.merchant
    kept = sorted(key for key, ids in merchant.answered.items() if ids and ids[0])
    again = {key: await merchant.repeats(key) for key in chance.sample(kept, min(REPEATED, len(kept)))}
    repeated = {key: (merchant.answered[key][0], answer) for key, answer in again.items()}
    picture, funds = await merchant_verdict.read(env, merchant, load.charges.orders, repeated), await money.read(env)
    report.findings += [Breach("merchants", what) for what in load.charges.not_placed]
    for code, of_merchants in merchant_verdict.CHECKS.items():
        report.findings += [Breach(code, what) for what in of_merchants(picture)]
    for code, of_money in money.CHECKS.items():
        report.findings += [Breach(code, what) for what in of_money(funds)]
    report.looked_at |= merchant_verdict.counts(picture) | money.counts(funds)


def _sold(books: Books) -> int:
    return sum(order["products"][0]["qty"] for orders in books.supplied.values() for order in orders)


async def overall_findings(env: Environment, books: Books, load: Load, report: Report) -> list[Finding | str]:
    """What no single order shows: sales without a reservation, the ledger, the audit chain, keys in logs."""
    found: list[Finding | str] = []
    ours = {row["id"] for row in await env.rows("SELECT id::text FROM reservation")}
    found += [f"the supplier sold {it} to nobody" for it in books.supplied.keys() - ours]
    proof = await proofs(env)
    report.looked_at |= {"ledger": f"{proof['entries']} entries"}
    by_id = {it.order_id: it for it in load.customers}
    for order_id, wrong in proof["ledger"]:
        customer = by_id.get(order_id)
        found.append(Finding("ledger", customer, wrong) if customer else f"ledger of {order_id}: {wrong}")
    if proof["audit"]:
        found.append(f"the audit log does not verify: {proof['audit']}")
    twice = {order_id: times for order_id, times in load.chose.items() if times > 1}
    found += [f"order {order_id}: {times} choices of the same money" for order_id, times in twice.items()]
    sold = {key["serial"].encode() for orders in books.supplied.values() for o in orders for key in o["keys"]}
    for log in sorted((env.var / "logs").glob("*.log")):
        if seen := sold & set(SERIAL.findall(log.read_bytes())):
            found.append(f"{len(seen)} keys in clear in {log.name}")
    stuck = """SELECT count(*) AS n FROM job WHERE status = 'processing'
               OR (status = 'pending' AND run_at < now() - interval '30 s')"""
    if count := (await env.rows(stuck))[0]["n"]:
        found.append(f"{count} jobs are stuck")
    return found


if __name__ == "__main__":
    main()
