"""A worker's sign of life: a row whose time it renews every second, by Postgres' clock.

Leases alone would keep a killed worker's jobs for as long as the slowest step may take. A lock of the session would
tell of its death sooner, but behind a pooler a session ends at any moment, and live workers lost their jobs with it.
"""

import asyncio
import contextlib
import os
import secrets
import socket
import time
from datetime import timedelta

import asyncpg

from app.core import clock, db, log
from app.core.postgres import Pool

BEAT = 1.0  # seconds between signs
DEAD = timedelta(seconds=8)  # without a sign; long enough for a machine that is busy
PATIENCE = 3.0  # seconds for one sign
GAP = 4.0  # seconds: whoever looked no more often can't tell a silent worker from a silent database
FORGOTTEN = timedelta(hours=1)
SIGN = """INSERT INTO process (id, role, host, pid, started_at, seen_at)
  SELECT $1, $2, $3, $4, t.now, t.now FROM (SELECT coalesce($5::timestamptz, clock_timestamp()) AS now) t
  ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at RETURNING clock_timestamp()"""

_holder: int | None = None


def holder() -> int | None:
    """This process's number while it is present; None in processes that are no workers."""
    return _holder


class WorkerLiveness:
    """Shows itself from ``open`` to ``close``. A connection of its own: a sign must not wait behind the work."""

    def __init__(self) -> None:
        self._number, self._role = 0, ""
        self._pool: Pool | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self, role: str = "worker") -> None:
        global _holder
        # Drawn here and from the system: worker processes are forked and would share a generator's next number.
        self._number, self._role = 1 + secrets.randbelow(2**31 - 2), role
        self._pool = await db.spare_pool(1, patience=PATIENCE)
        await self.show()
        _holder = self._number
        self._task = asyncio.create_task(self._keep(), name="worker-liveness")

    async def close(self) -> None:
        """Go, by saying so: what this worker still holds is another's at once."""
        global _holder
        _holder = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._pool is not None:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._pool.execute("DELETE FROM process WHERE id = $1", self._number)
            await self._pool.close()

    async def show(self) -> None:
        """One sign, which also tells us what time it is."""
        assert self._pool is not None
        asked = time.monotonic()
        at = await self._pool.fetchval(
            SIGN, self._number, self._role, socket.gethostname()[:64], os.getpid(), clock.given()
        )
        clock.measured(at, asked, time.monotonic())

    async def _keep(self) -> None:
        silent = False
        while True:
            await asyncio.sleep(BEAT)
            try:
                await self.show()
                silent = False
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if not silent:
                    log.get("bitloot.jobs").warning("worker_liveness.lost", why=type(error).__name__)
                silent = True


class Watch:
    """Tells whether the signs have been looked at long enough, without a gap, to call a silent worker dead.

    After an outage of the database all of them are old, and nobody is dead.
    """

    def __init__(self) -> None:
        self._since = self._last = -GAP

    def looks(self, now: float) -> bool:
        """Whether it may be judged at ``now``, in seconds of a clock that only counts."""
        if now - self._last > GAP:
            self._since = now
        self._last = now
        return now - self._since >= DEAD.total_seconds()


async def forget() -> int:
    """Drop the rows of processes that died long ago. Returns how many."""
    return len(await db.fetch("DELETE FROM process WHERE seen_at < $1 RETURNING id", clock.now() - FORGOTTEN))
