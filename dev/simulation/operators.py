"""The shop's admins and its clock: dead letters go round again, sold-out items are retried, notices replayed."""

from actors import clock as sweeper
from app.core import clock, db
from app.core.errors import Problem
from app.fulfillment import steps
from app.queue import service as jobs
from app.queue.service import JobNotFailed
from dev.simulation import money_decisions
from dev.simulation.faults import Faults
from dev.simulation.processes import Process, Processes
from dev.simulation.scheduler import Scheduler

ROUND = 420.0  # seconds between an admin's looks
MOST_SKIPPED = 300.0  # seconds the clock may skip where nothing is due
DUE = """SELECT least((SELECT min(run_at) FROM job WHERE status = 'pending'),
  (SELECT min(lease_until) FROM job WHERE status = 'processing'),
  (SELECT min(next_check_at) FROM payment), (SELECT min(next_check_at) FROM reservation),
  (SELECT min(next_check_at) FROM refund))"""
JOB_OF = {"nowpayments": "payments.apply_notice", "kinguin": "fulfillment.apply_notice"}


class Operators:
    """What happens by itself in a shop that somebody looks after."""

    def __init__(self, scheduler: Scheduler, faults: Faults, processes: Processes) -> None:
        self._scheduler, self._faults, self._processes = scheduler, faults, processes
        processes.on_clock = self.start_clock
        scheduler.after(ROUND, self.round)

    def start_clock(self, process: Process) -> None:
        """A clock process has started."""
        self._scheduler.start("clock", self._sweep(process), process=process)

    async def _sweep(self, process: Process) -> None:
        last: dict[str, float] = {}
        while process.alive:
            try:
                last = last or await sweeper.posted_before(self._scheduler.seconds)
                await sweeper.sweep()
                await sweeper.post_scheduled(last, self._scheduler.seconds)
            except Exception as error:
                self._scheduler.say(f"sweep failed: {type(error).__name__}")
            await self._scheduler.pause(await self._nothing_due())

    async def _nothing_due(self) -> float:
        """Seconds until a sweep could find anything: two in a busy world, more in one where nobody moves."""
        free = self._scheduler.busy_until()
        if free <= sweeper.SWEEP:
            return sweeper.SWEEP
        due = await db.fetch_value(DUE)
        waits = (due - clock.now()).total_seconds() if due is not None else MOST_SKIPPED
        return max(sweeper.SWEEP, min(free, waits, MOST_SKIPPED))

    def round(self) -> None:
        """An admin looks at what waits for a person."""
        self._scheduler.after(ROUND, self.round)
        if self._processes.web is not None:
            self._scheduler.start("admin", self._look(), process=self._processes.web)

    async def _look(self) -> None:
        for row in await db.fetch("SELECT id FROM job WHERE status = 'failed' ORDER BY ended_at LIMIT 20"):
            if self._faults.chance.random() < 0.7:
                try:
                    await jobs.retry(row["id"])
                    self._faults.happened["dead letter sent round again"] += 1
                except JobNotFailed:
                    continue
        for row in await db.fetch("SELECT item_id FROM reservation WHERE status = 'out_of_stock' ORDER BY id LIMIT 20"):
            if self._faults.chance.random() < 0.5:
                try:
                    await steps.retry_item(row["item_id"])
                    self._faults.happened["item retried by an admin"] += 1
                except Problem:
                    continue

        await money_decisions.refund_something(self._faults)

    async def replay(self) -> None:
        """An admin has some notice applied once more."""
        row = await db.fetch_one(
            "SELECT id, provider FROM inbound_webhook ORDER BY received_at OFFSET $1 LIMIT 1",
            self._faults.chance.randrange(200),
        )
        if row is not None and row["provider"] in JOB_OF:
            await jobs.post(JOB_OF[row["provider"]], {"notice_id": str(row["id"])})
