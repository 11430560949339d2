"""Behind PgBouncer in transaction mode every statement may meet another server connection: nothing may rely on more."""

import asyncio

import pytest

from tests.conftest import Box
from tests.database.deployment import Deployment
from tests.database.servers import OwnPostgres, pgbouncer
from tests.journeys.shopper import Shopper, bought_exactly_once

pytestmark = pytest.mark.processes
AS_HOSTS_WRITE_IT = "?sslmode=prefer&channel_binding=require&pgbouncer=true&connection_limit=5&search_path=public"
HTML = {"accept": "text/html"}


async def test_behind_a_pooler_games_are_bought_pages_answer_and_migrations_run(box: Box, small: OwnPostgres) -> None:
    with pgbouncer(small) as url:
        shop = Deployment(url + AS_HOSTS_WRITE_IT, small.url, box)
        try:
            shop.start()
            await shop.answers()
            orders = await asyncio.gather(*(Shopper.orders(shop) for _ in range(4)))
            await asyncio.gather(*(order.pays() for order in orders))
            await asyncio.gather(*(bought_exactly_once(order, seconds=40) for order in orders))
            keys = await asyncio.gather(*(order.reveals() for order in orders))
            assert all(len(one) == 1 and one[0] for one in keys)
            pages = await asyncio.gather(*(shop.http.get("/", headers=HTML) for _ in range(60)))
            assert {page.status_code for page in pages} == {200}
            again = await asyncio.to_thread(shop.command, "migrate")
            assert again.returncode == 0, again.stderr
            assert "No migrations need to be run" in again.stdout
            taken = await shop.rows("SELECT name FROM job_attempt JOIN job ON job.id = job_id WHERE outcome = 'failed'")
            assert taken == [], "no job was taken from a live worker"
            assert len(await shop.rows("SELECT FROM process WHERE seen_at > now() - interval '8 seconds'")) == 2
            for name in shop.running:
                said = shop.log(name)
                assert "prepared statement" not in said, name
                assert '"names": ["channel_binding", "connection_limit", "pgbouncer"]' in said, name
                assert "secret p" not in said, name
                assert "secret%20p" not in said, name
        finally:
            await shop.close()


async def test_on_a_database_of_20_connections_all_processes_work_and_a_migration_still_gets_in(
    box: Box, small: OwnPostgres
) -> None:
    shop = Deployment(small.url_of("shop"), small.url, box)
    try:
        shop.start()
        await shop.answers()
        orders = await asyncio.gather(*(Shopper.orders(shop) for _ in range(6)))
        paying = [asyncio.create_task(order.pays()) for order in orders]
        asking = [shop.http.get(path, headers=HTML) for path in ("/", "/readyz", "/login") * 60]
        pages = await asyncio.gather(*asking)
        assert {page.status_code for page in pages} == {200}
        open_now = len(await small.connections())
        assert open_now <= 13, "four are left for the release step and a command, of the 17 that are no superuser's"
        words = (["migrate"], ["jobs", "list"])
        commands = await asyncio.gather(*(asyncio.to_thread(shop.command, *one) for one in words))
        assert [done.returncode for done in commands] == [0, 0], commands
        await asyncio.gather(*paying)
        await asyncio.gather(*(bought_exactly_once(order, seconds=40) for order in orders))
    finally:
        await shop.close()
