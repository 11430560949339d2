"""Proofs that work can be done: each writes, since a server that is full or read-only answers every question well."""

import asyncio
import secrets

import asyncpg
import redis.exceptions

from app.core import db, postgres
from app.core.redis import async_client
from app.core.settings import settings
from app.queue import queries

PATIENCE = 3.0  # seconds for one proof
OVERDUE = 60.0  # seconds: the clock process sends again what waits for four
KEPT = 60  # seconds a proof's key stays in Redis, should its removal fail
# Written and removed in one transaction, which nobody sees; what there is to wait for is its way to the disk.
WRITE = "INSERT INTO process (id, role, host, pid, started_at, seen_at) VALUES ({0}, 'probe', '', 0, now(), now());"
REMOVE = "DELETE FROM process WHERE id = {0}"


class Unfit(Exception):
    """It answers, but can't do its work; the text says why and holds no secret."""


async def database() -> None:
    """Write a row, durably. Raises Unfit where it takes no writes, DatabaseAway where it does not answer."""
    number = -1 - secrets.randbelow(2**31 - 2)
    async with db.connection() as connection:
        try:
            await connection.execute(f"{WRITE}{REMOVE}".format(number), timeout=PATIENCE)
        except asyncpg.ReadOnlySQLTransactionError:
            raise Unfit("read-only: it takes no writes") from None
        except asyncpg.DiskFullError:
            raise Unfit("its disk is full: it takes no writes") from None


async def cache() -> None:
    """Write a key to Redis and read it back. Raises Unfit where it takes no writes, else what the client raises."""
    key, value = f"bitloot:probe:{secrets.token_hex(8)}", secrets.token_hex(64)
    async with async_client() as client, asyncio.timeout(PATIENCE):
        try:
            await client.set(key, value, ex=KEPT)
            kept = await client.getdel(key)
        except redis.exceptions.OutOfMemoryError:
            raise Unfit("full: it takes no writes (maxmemory)") from None
        except redis.exceptions.ReadOnlyError:
            raise Unfit("read-only: it takes no writes") from None
        except redis.exceptions.ResponseError as refused:
            raise Unfit(f"it takes no writes: {str(refused).split(' ', 1)[0]}") from None
    if kept != value.encode():
        raise Unfit("it does not keep what is written")


async def progress() -> None:
    """Look whether what is due is done. Raises Unfit where it waits, as nobody works or no message gets through."""
    waited = await queries.oldest_due()
    if waited > OVERDUE:
        raise Unfit(f"the oldest job has been due for {waited:.0f} s: is a worker running?")


async def room() -> None:
    """Look whether the database gives all processes the connections they need. Raises Unfit."""
    server = await postgres.measure(db.address())
    least, most = settings().connections_needed, settings().database_max_connections
    if server.room is not None and server.room < max(least, most):
        why = f"DATABASE_MAX_CONNECTIONS is {most}" if most > least else f"the processes need at least {least}"
        raise Unfit(f"the database allows {server.room} connections, and {why}")
