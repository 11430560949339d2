"""The clock process: sends again what got lost, takes back what died, asks what is due. ``python -m actors.clock``."""

import asyncio
import signal
from datetime import timedelta

import uvloop

import actors
from actors.job import JOBS
from app.core import clock, db, garbage, log, pools
from app.core.redis_publisher import publisher
from app.core.settings import settings
from app.fulfillment import steps as fulfillment
from app.issues import clocks
from app.issues.clocks import ClockWatch
from app.payments import service as payments
from app.queue import producer
from app.queue import queries as job_rows
from app.queue import service as jobs
from app.queue.worker_liveness import Watch
from app.refunds import payout as refunds
from app.webhooks import service as webhooks

SWEEP = 2.0  # seconds between sweeps
GRACE = timedelta(seconds=4)  # a due job that no worker took by then has lost its message
RESEND = 200  # messages a sweep, so that a long queue is not flooded with repeats
SCHEDULE = {  # how often, in seconds, each of the house's own jobs is posted
    "catalog.sync": 600,
    "catalog.sync_rates": 900,
    "payments.sync_coins": 300,
    "payments.close_forgotten": 600,
    "fulfillment.resume_stuck": 300,
    "fulfillment.report_slow": 30,
    "keys.retire": 3600,
    "audit.anchor": 900,  # the first of an hour counts
    "ledger.prove": 900,
    "webhooks.catch_up": 300,
    "maintenance.purge": 3600,
}
AT_ONCE = ("catalog.sync_rates",)  # those that a clock posts right away where they never were: nothing is sold before
FIRST = 60.0  # seconds until the others are posted for the first time, so that a clock that restarts often posts them


async def sweep(*, silent: bool = True) -> None:
    """One round: all that Postgres says is due is on its way afterwards. ``silent``: see ``jobs.reclaim_expired``."""
    await jobs.reclaim_expired({name: retry.attempts for name, (_, retry) in JOBS.items()}, silent=silent)
    producer.send_all(await jobs.due(clock.now() - GRACE, RESEND))
    await payments.post_due_checks()
    await fulfillment.post_due_checks()
    await refunds.post_due_checks()
    await webhooks.post_due()


async def post_scheduled(last: dict[str, float], now: float) -> None:
    """Post each scheduled job whose time has come; ``last`` holds when each was posted. A pending one is enough."""
    for name, seconds in SCHEDULE.items():
        if now - last.setdefault(name, now) >= seconds:
            last[name] = now
            await jobs.post(name, {}, dedupe=name)


async def posted_before(now: float) -> dict[str, float]:
    """When each scheduled job was last posted, in seconds like ``now``: a restart begins no interval anew.

    One that never was posted is due FIRST seconds from now, or at once.
    """
    never = {name: now - seconds + min(seconds, FIRST) for name, seconds in SCHEDULE.items()}
    never |= {name: now - SCHEDULE[name] for name in AT_ONCE}
    return never | {name: now - age for name, age in (await job_rows.ages(list(SCHEDULE))).items()}


async def run(stop: asyncio.Event) -> None:
    """Sweep until told to stop; a failing round is logged and the next one tries again."""
    await db.open_pool_of(pools.CLOCK)
    garbage.settle()
    loop, last, failing, watch = asyncio.get_running_loop(), dict[str, float](), False, Watch()
    clock_watch = ClockWatch()
    while not stop.is_set():
        try:
            last = last or await posted_before(loop.time())
            await clock_watch.look()
            await clocks.forget_gone()
            await sweep(silent=watch.looks(loop.time()))
            await post_scheduled(last, loop.time())
            failing = False
        except Exception as error:
            if not failing:
                log.get("bitloot.clock").error("sweep.failed", why=type(error).__name__, exc_info=True)
            failing = True
        try:
            await asyncio.wait_for(stop.wait(), SWEEP)
        except TimeoutError:
            continue
    await db.close_pool()
    publisher.close()


async def main() -> None:
    log.set_up(settings().log_level, "clock")
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    log.get("bitloot.clock").info("clock.started", jobs=len(JOBS), broker=type(actors.broker).__name__)
    await run(stop)


if __name__ == "__main__":
    uvloop.run(main())
