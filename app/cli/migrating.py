"""Bringing the tables up to date, by one process at a time."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click
from piccolo.apps.migrations.commands.forwards import run_forwards

from app.core import db, postgres

LOCK = 7_310_446_112_020_817  # of our advisory locks, the one that migrations hold
LOOK = 0.5  # seconds between looks whether another process is done
PATIENCE = 900.0  # seconds that one waits for it
POOL = 2  # connections, beside the one that holds the lock


async def migrate(to: str = "all") -> bool:
    """Run what has not run yet, up to ``to``; waits for whoever does it already. Whether all went well."""
    async with _alone():
        await db.open_pool(POOL, patience=None)
        try:
            return bool((await run_forwards(app_name="bitloot", migration_id=to)).success)
        finally:
            await db.close_pool()


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
                yield
                return
            await connection.execute("ROLLBACK")
            if time.monotonic() > deadline:
                raise postgres.DatabaseAway(f"another migration has been running for {PATIENCE:.0f} seconds")
            if not told:
                click.echo("Another process is migrating; waiting for it.")
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
