"""Bringing the tables up to date, by one process at a time."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import click
from asyncpg import DeadlockDetectedError, LockNotAvailableError
from piccolo.apps.migrations.commands.forwards import run_forwards

from app.core import db, postgres
from app.core.i18n import _

LOCK = 7_310_446_112_020_817  # of our advisory locks, the one that migrations hold
LOOK = 0.5  # seconds between looks whether another process is done
PATIENCE = 900.0  # seconds that one waits for it
POOL = 2  # connections, beside the one that holds the lock
# What waits for a table's lock makes everybody wait who asks for that table after it. So a migration lets go soon, lets
# them through, and starts over: all that it did was in one transaction.
LOCK_TIMEOUT = "2s"
TRIES = 60  # so many in some 10 minutes
PAUSES = (0.5, 10.0)  # seconds between tries, the first and the longest; each is twice the one before


async def migrate(to: str = "all") -> bool:
    """Run what has not run yet, up to ``to``; waits for whoever does it already. Whether all went well."""
    async with _alone():
        await db.open_pool(POOL, patience=None)
        db.engine().lock_timeout = LOCK_TIMEOUT
        try:
            return await patiently(lambda: _forwards(to))
        finally:
            db.engine().lock_timeout = ""
            await db.close_pool()


async def _forwards(to: str) -> bool:
    return bool((await run_forwards(app_name="bitloot", migration_id=to)).success)


async def patiently(run: Callable[[], Awaitable[bool]], *, pauses: tuple[float, float] = PAUSES) -> bool:
    """Run migrations; where one can't have its lock, again, up to TRIES times. Raises DatabaseAway after that."""
    pause = pauses[0]
    for number in range(1, TRIES + 1):
        try:
            return await run()
        except (LockNotAvailableError, DeadlockDetectedError) as held:
            click.echo(
                _(
                    "The shop is using what this changes (%(held)s); letting it through (try %(number)s of %(tries)s).",
                    held=held,
                    number=number,
                    tries=TRIES,
                )
            )
        await asyncio.sleep(pause)
        pause = min(pause * 2, pauses[1])
    raise postgres.DatabaseAway(f"a migration could not have its lock in {TRIES} tries; stop what is using the table")


@asynccontextmanager
async def _alone() -> AsyncIterator[None]:
    """Hold the lock in a transaction, which is a pooler's unit too.

    It is asked for again and again instead of waited for: an index that is built concurrently waits for every statement
    that is under way, so one that waits for the lock would never get it.
    """
    connection, deadline, told = await _connected(), time.monotonic() + PATIENCE, False
    try:
        while True:
            await connection.execute("BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0")
            if await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", LOCK):
                # A statement with an argument keeps its snapshot until the next one: an index that is built
                # concurrently would wait for it, and so for us, for ever.
                await connection.execute("SELECT 1")
                yield
                return
            await connection.execute("ROLLBACK")
            if time.monotonic() > deadline:
                raise postgres.DatabaseAway(f"another migration has been running for {PATIENCE:.0f} seconds")
            if not told:
                click.echo(_("Another process is migrating. Waiting for it."))
                told = True
            await asyncio.sleep(LOOK)
    finally:
        await connection.close(timeout=postgres.CANCEL)


async def _connected() -> postgres.Connection:
    """A connection of its own; a server that has none left may have one in a moment."""
    deadline = time.monotonic() + postgres.START
    while True:
        try:
            return await postgres.connect(db.address())
        except postgres.FULL:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(LOOK)


def run(to: str) -> bool:
    os.environ.setdefault("PICCOLO_CONF", "piccolo_conf")
    return asyncio.run(migrate(to))
