"""A process that runs one scenario and prints its outcome as JSON; ``environment`` starts it with its own database."""

import asyncio
import gc
import logging
import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import msgspec

from app.core import db
from app.orders.reasons import stands
from dev.simulation import invariants, mutants
from dev.simulation.report import Outcome
from dev.simulation.world import World

TOTALS = {  # what is counted at the end
    "jobs": "SELECT count(*) FROM job",
    "failed attempts": "SELECT count(*) FROM job_attempt",
    "dead letters": "SELECT count(*) FROM job WHERE status = 'failed'",
    "notices": "SELECT count(*) FROM inbound_webhook",
    "payments": "SELECT count(*) FROM payment",
    "keys": "SELECT count(*) FROM sealed_key",
    "keys revealed": "SELECT count(*) FROM sealed_key WHERE revealed_at IS NOT NULL",
    "orders on the admin's list": f"SELECT count(*) FROM customer_order p WHERE {stands('p')}",
}


async def run(seed: int, orders: int, mutant: str, trace: str) -> Outcome:
    with ExitStack() as open_files:
        told = open_files.enter_context(Path(trace).open("w")) if trace else None  # noqa: ASYNC230 - alone yet
        world = World(seed, orders, told)
        mutants.apply(mutant, world)
        world.at_rest = lambda: invariants.at_rest(world)
        world.beyond_repair = lambda: invariants.beyond_repair(world)
        try:
            await world.run()
            await _write_down(world)
            return await _outcome(world, mutant)
        finally:
            await world.close()


async def _write_down(world: World) -> None:
    """The moves of every row belong to the history too."""
    for row in await db.fetch("SELECT place, id, before, after FROM sim_move ORDER BY n"):
        world.scheduler.say(f"{row['place']} {row['id']} {row['before']} {row['after']}")


async def _failures() -> dict[str, int]:
    """Attempts that failed, by job and by the first words of why."""
    rows = await db.fetch(
        """SELECT j.name || ': ' || regexp_replace(left(a.error, 70), '[0-9].*', '') AS why, count(*) AS n
           FROM job_attempt a JOIN job j ON j.id = a.job_id GROUP BY 1 ORDER BY 1"""
    )
    return {row["why"]: row["n"] for row in rows}


async def _outcome(world: World, mutant: str) -> Outcome:
    statuses = await db.fetch("SELECT status, count(*) AS n FROM customer_order GROUP BY status ORDER BY status")
    return Outcome(
        seed=world.seed, size=world.orders, mutant=mutant, digest=world.scheduler.digest,
        hours=world.scheduler.seconds / 3600, faults=dict(world.faults.happened),
        orders={row["status"]: row["n"] for row in statuses}, plans=dict(Counter(world.customers.plans.values())),
        totals={name: await db.fetch_value(sql) for name, sql in TOTALS.items()}
        | {"letters": len(world.resend.sent), "bought of the supplier": len(world.kinguin.orders)},
        failures=await _failures(), violations=await invariants.verdict(world),
    )  # fmt: skip


if __name__ == "__main__":
    gc.freeze()
    gc.set_threshold(50_000)  # what a world makes is soon gone by itself: looking for cycles costs more than it frees
    logging.disable(logging.CRITICAL)
    outcome = asyncio.run(run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
