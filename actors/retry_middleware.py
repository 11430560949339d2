"""The queue's retry policy as Dramatiq middleware: the schedule is the job's row, the delayed message hurries it on."""

import asyncio
import contextlib
from typing import Any

import asyncpg
import dramatiq
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import Middleware

from app.core import clock, db, log
from app.queue.retry_policy import AttemptFailed, decide
from app.queue.service import LEASE

AWAY = (*db.AWAY, OSError, asyncpg.InterfaceError)
AGAIN = 0.5  # seconds between attempts to reach a database that is away


class RowRetries(Middleware):
    """Puts a failed job back for later, or makes it a dead letter."""

    @property
    def actor_options(self) -> set[str]:
        return {"throws"}

    def after_process_message(
        self, broker: dramatiq.Broker, message: Any, *, result: Any = None, exception: BaseException | None = None
    ) -> None:
        if isinstance(exception, AttemptFailed):
            thread = get_event_loop_thread()
            assert thread is not None
            thread.run_coroutine(decided(exception))


async def decided(failed: AttemptFailed) -> None:
    """Decide; again while the database is away, as long as the job is ours. Else it would wait for its lease to end."""
    deadline = clock.now() + LEASE
    while clock.now() < deadline:
        with contextlib.suppress(*AWAY):
            await decide(failed)
            return
        await asyncio.sleep(AGAIN)
    log.get("bitloot.jobs").error("job.undecided", job=failed.lease.name, job_id=str(failed.lease.id))
