"""A migration that can't have its lock lets everybody through and tries again."""

import asyncio

import asyncpg
import pytest

from app.cli import migrating
from app.core import db
from app.core.postgres import DatabaseAway
from tests.scratch import Scratch
from tests.scratch import scratch as scratch

BEFORE = "2026-11-28T16:00:00:000000"  # what follows changes orders
ORDERS = "SELECT count(*) FROM customer_order"
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'customer_order'::regclass"


async def test_a_migration_that_waits_for_a_long_query_holds_no_page_up_and_ends_well(scratch: Scratch) -> None:
    await scratch.runs("app.cli", "migrate", "--to", BEFORE)
    reader, page = await asyncpg.connect(scratch.url), await asyncpg.connect(scratch.url)
    try:
        await reader.execute("BEGIN")
        await reader.fetchval(ORDERS)  # and goes on reading
        migrating = asyncio.create_task(scratch.runs("app.cli", "migrate"))
        while not await page.fetchval(WAITING):
            assert not migrating.done(), await migrating
            await asyncio.sleep(0.02)
        assert await page.fetchval(ORDERS, timeout=30) == 0, "a page of the shop is answered although both go on"
        assert not migrating.done()
        await reader.execute("COMMIT")
        said = await migrating
    finally:
        await reader.close()
        await page.close()
    assert "letting it through (try 1 of 60)" in said
    assert "No migrations need to be run" in await scratch.runs("app.cli", "migrate")


async def test_a_migration_that_never_gets_its_lock_ends_with_an_error_after_its_tries(app) -> None:
    tries = 0

    async def held() -> bool:
        nonlocal tries
        tries += 1
        async with db.transaction():
            raise asyncpg.LockNotAvailableError("canceling statement due to lock timeout")

    with pytest.raises(DatabaseAway, match="could not have its lock in 60 tries"):
        await migrating.patiently(held, pauses=(0, 0))
    assert tries == 60


async def test_nothing_but_a_migration_gives_up_on_a_lock(app) -> None:
    async with db.engine().transaction():
        assert await db.fetch_value("SHOW lock_timeout") == "0"
