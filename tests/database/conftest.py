"""One small Postgres with a shop's tables and catalog in it, for all tests of this folder that need no other."""

from collections.abc import AsyncIterator

import pytest

from tests.database.deployment import Deployment
from tests.database.servers import OwnPostgres, own_postgres


@pytest.fixture(scope="session")
async def prepared(sandbox_process: str) -> AsyncIterator[OwnPostgres]:
    """It gives 20 connections, as small plans do, and 17 of them to the role ``shop``, which is no superuser."""
    async with own_postgres(max_connections="20") as postgres:
        await postgres.run("CREATE ROLE shop LOGIN; GRANT ALL ON SCHEMA public TO shop")
        shop = Deployment(postgres.url_of("shop"), postgres.url)
        await shop.prepare()
        await shop.close()
        yield postgres


@pytest.fixture
async def small(prepared: OwnPostgres) -> OwnPostgres:
    """The small Postgres, without orders."""
    await prepared.run("TRUNCATE customer_order, job, inbound_webhook, process CASCADE")
    return prepared
