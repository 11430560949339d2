"""Our Postgres in a world of faults: transactions that never begin, commits whose answer is lost, deaths in between.

The rules of the tables are watched by triggers of the world's own, so that no code can keep a move from them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from app.core import db
from simulation.faults import Weather
from simulation.processes import Processes
from simulation.scheduler import Scheduler

WATCHED = {  # table → columns whose every change is written down
    "purchase": ("status", "fulfillment_status"),
    "payment": ("status",),
    "reservation": ("status",),
    "job": ("status",),
}
HURRY = (0.0005, 0.02)  # seconds between wanting a transaction and having it
WATCH = """
CREATE TABLE sim_move (n bigserial PRIMARY KEY, place text, id uuid, before text, after text);
CREATE FUNCTION sim_watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  INSERT INTO sim_move (place, id, before, after) VALUES
    (TG_TABLE_NAME || '.' || TG_ARGV[0], NEW.id, to_jsonb(OLD) ->> TG_ARGV[0], to_jsonb(NEW) ->> TG_ARGV[0]);
  RETURN NULL; END $$;
"""


async def watch(connection: asyncpg.Connection) -> None:
    """Put the triggers in place."""
    await connection.execute(WATCH)
    for table, columns in WATCHED.items():
        for column in columns:
            await connection.execute(
                f"CREATE TRIGGER sim_{column} AFTER UPDATE OF {column} ON {table} FOR EACH ROW "
                f"EXECUTE FUNCTION sim_watch('{column}')"
            )


class Unreachable(ConnectionRefusedError):
    """Postgres did not take the connection."""


class AnswerLost(asyncpg.ConnectionDoesNotExistError):  # type: ignore[misc]
    """The connection broke while the commit was under way; it took effect, and nobody here can know."""


def put_between(scheduler: Scheduler, weather: Weather, processes: Processes) -> None:
    """From here on transactions wait their turn, and some of them meet a fault."""
    begin = db._begin

    @asynccontextmanager
    async def begun() -> AsyncIterator[None]:
        if not scheduler.mine:
            async with begin():
                yield
            return
        await scheduler.pause(weather.chance.uniform(*HURRY))
        processes.die_here("waiting")
        await processes.freeze_here("lease outlived")
        if weather.strikes("transaction refused"):
            raise Unreachable
        async with begin():
            yield
        processes.die_here("after its commit")
        if weather.strikes("commit's answer lost"):
            raise AnswerLost("simulated")

    db._begin = begun
