"""A worker's sign of life: an advisory lock that Postgres lets go the moment the worker's process dies.

Leases alone would keep a killed worker's jobs for as long as the slowest step may take. With this, the next sweep sees
that their holder is gone. A worker that only lost this connection is harmed in nothing: a job that is taken back
twice still takes effect once.
"""

import asyncio
import contextlib
import secrets

import asyncpg

from app.core import log
from app.core.settings import settings

LOCK_CLASS = 20_817  # first key of our advisory locks, so that no other use of them is mistaken for a worker
RECONNECT = 1.0  # seconds

_holder: int | None = None


def holder() -> int | None:
    """This process's number while it is present; None in processes that are no workers."""
    return _holder


class Presence:
    """Holds the lock from ``open`` to ``close``, taking it again when the connection is lost."""

    def __init__(self) -> None:
        self._number = 0
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        global _holder
        # Drawn here and from the system: worker processes are forked and would share a generator's next number.
        self._number = 1 + secrets.randbelow(2**31 - 2)
        lost, connection = await self._take()
        _holder = self._number
        self._task = asyncio.create_task(self._keep(lost, connection), name="presence")

    async def close(self) -> None:
        global _holder
        _holder = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _take(self) -> tuple[asyncio.Event, asyncpg.Connection]:
        lost = asyncio.Event()
        connection = await asyncpg.connect(settings().database_url.get_secret_value(), timeout=5)
        connection.add_termination_listener(lambda _: lost.set())
        await connection.execute("SELECT pg_advisory_lock($1, $2)", LOCK_CLASS, self._number)
        return lost, connection

    async def _keep(self, lost: asyncio.Event, connection: asyncpg.Connection) -> None:
        try:
            while True:
                await lost.wait()
                log.get("bitloot.jobs").warning("presence.lost")
                await asyncio.sleep(RECONNECT)
                with contextlib.suppress(OSError, asyncpg.PostgresError):
                    lost, connection = await self._take()
        finally:
            await connection.close(timeout=2)
