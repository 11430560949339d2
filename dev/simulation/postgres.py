"""Our Postgres in a world of faults: transactions that never begin, commits whose answer is lost, deaths in between.

The rules of the tables are watched by triggers of the world's own, so that no code can keep a move from them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from app.core import db
from dev.simulation.faults import Faults
from dev.simulation.processes import Processes
from dev.simulation.scheduler import Scheduler

WATCHED = {  # table → columns whose every change is written down
    "customer_order": ("status", "fulfillment_status"),
    "payment": ("status",),
    "reservation": ("status",),
    "job": ("status",),
}
HURRY = (0.0005, 0.02)  # seconds between wanting a transaction and having it
MOVES = "CREATE TABLE sim_move (n bigserial PRIMARY KEY, place text, id uuid, before text, after text)"
WATCH = """
CREATE FUNCTION sim_{table}_{column}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO sim_move (place, id, before, after) VALUES ('{table}.{column}', NEW.id, OLD.{column}, NEW.{column});
  RETURN NULL; END $$;
CREATE TRIGGER sim_{column} AFTER UPDATE OF {column} ON {table} FOR EACH ROW
  EXECUTE FUNCTION sim_{table}_{column}();
"""


async def watch(connection: asyncpg.Connection) -> None:
    """Put the triggers in place."""
    await connection.execute(MOVES)
    for table, columns in WATCHED.items():
        for column in columns:
            await connection.execute(WATCH.format(table=table, column=column))


class Pool:
    """Stands where asyncpg's pool stands. One activity runs at a time, and none is ended under a statement: so what is
    given back needs no looking after, which was a tenth of a world's time."""

    def __init__(self, connect: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self._connect = connect
        self._all: list[asyncpg.Connection] = []
        self._free: list[asyncpg.Connection] = []

    def acquire(self) -> "Pool._Use":
        return Pool._Use(self)

    async def release(self, connection: asyncpg.Connection) -> None:
        self._free.append(connection)

    async def fetch(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        async with self.acquire() as connection:
            return list(await connection.fetch(sql, *args))

    async def close(self) -> None:
        for connection in self._all:
            await connection.close()

    async def _take(self) -> asyncpg.Connection:
        if not self._free:
            self._all.append(await self._connect())
            return self._all[-1]
        return self._free.pop()

    class _Use:
        """To be awaited for a connection, or entered for as long as one is needed."""

        def __init__(self, pool: "Pool") -> None:
            self._pool = pool
            self._taken: asyncpg.Connection | None = None

        def __await__(self) -> Generator[Any, None, asyncpg.Connection]:
            return self._pool._take().__await__()

        async def __aenter__(self) -> asyncpg.Connection:
            self._taken = await self._pool._take()
            return self._taken

        async def __aexit__(self, *_: object) -> None:
            self._pool._free.append(self._taken)


class Unreachable(ConnectionRefusedError):
    """Postgres did not take the connection."""


class AnswerLost(asyncpg.ConnectionDoesNotExistError):  # type: ignore[misc]
    """The connection broke while the commit was under way; it took effect, and nobody here can know."""


def put_between(scheduler: Scheduler, faults: Faults, processes: Processes) -> None:
    """From here on transactions wait their turn, and some of them meet a fault."""
    begin = db._begin

    @asynccontextmanager
    async def begun() -> AsyncIterator[None]:
        if not scheduler.mine:
            async with begin():
                yield
            return
        await scheduler.pause(faults.chance.uniform(*HURRY))
        processes.die_here("waiting")
        await processes.freeze_here("lease outlived")
        if faults.strikes("transaction refused"):
            raise Unreachable
        async with begin():
            yield
        processes.die_here("after its commit")
        if faults.strikes("commit's answer lost"):
            raise AnswerLost("simulated")

    db._begin = begun
