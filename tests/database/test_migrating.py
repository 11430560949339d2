"""Several processes migrate at once, as each does that a host starts: one works, the others wait and find nothing."""

import asyncio

import pytest

from tests.conftest import ROOT
from tests.database.deployment import Deployment
from tests.database.servers import own_postgres, pgbouncer

pytestmark = [pytest.mark.processes, pytest.mark.proof]


MIGRATIONS = [path for path in (ROOT / "app/migrations").glob("*.py") if path.stem != "__init__"]


@pytest.mark.parametrize("pooled", [False, True], ids=["directly", "through a pooler"])
async def test_three_migrations_at_once_all_end_well_and_each_ran_once(pooled: bool) -> None:
    async with own_postgres(max_connections="20") as postgres:
        with pgbouncer(postgres) as url:
            shop = Deployment(url if pooled else postgres.url, postgres.url)
            done = await asyncio.gather(*(asyncio.to_thread(shop.command, "migrate") for _ in range(3)))
            assert [one.returncode for one in done] == [0, 0, 0], [one.stdout + one.stderr for one in done]
            assert sorted("No migrations need to be run" in one.stdout for one in done) == [False, True, True]
            assert sum("Waiting for it" in one.stdout for one in done) >= 1
            ran = [row["name"] for row in await shop.rows("SELECT name FROM migration")]
            assert len(ran) == len(set(ran)) == len(MIGRATIONS)
            assert await shop.rows("SELECT FROM pg_locks WHERE locktype = 'advisory'") == []
            await shop.close()
