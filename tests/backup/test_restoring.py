"""A backup brings back every row and every object, or changes nothing at all."""

import asyncio
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.backup import schema, taking
from app.backup.restoring import examine, restore
from app.backup.sealed import CHUNK, BackupKeys, BackupRefused
from app.core import clock, db
from app.core.crypto import MasterKeys
from app.core.redis import async_client
from app.fulfillment import steps
from app.inbox import service as inbox
from app.providers.storage_s3 import S3Store
from app.queue import service as jobs
from app.suppliers.registry import open_suppliers
from tests.backup.conftest import objects_of, rows_at
from tests.builders import COIN, EMAIL, Undone, buy, count, delivered, offered, order, paid, place, torn
from tests.conftest import ROOT


@pytest.fixture
async def shop(app: Any, box: Any) -> Any:
    """The shop's kit, with an order in each state of its life."""
    kit = app.state.kit
    await delivered(kit, box, 2, 1)
    await paid(kit, box)
    await offered(kit)
    await place()
    await inbox.keep("kinguin", "ünïcode \u2028 \\ \t", {"x": "ü"}, bytes(range(256)), job="fulfillment.apply_notice")
    return kit


@pytest.fixture
async def taken(shop: Any, tmp_path: Path, live: str, keys: BackupKeys) -> Path:
    path = tmp_path / "shop.backup"
    await taking.take(path, url=live, store=shop.store, keys=keys)
    return path


async def test_every_row_and_every_object_comes_back(shop, taken, live, scratch, elsewhere, keys) -> None:
    restored = await restore(taken, url=scratch, store=elsewhere, keys=keys)
    there = await rows_at(scratch)
    assert there == await rows_at(live)
    assert restored.summary.rows == {name: len(rows) for name, rows in there.items()}
    assert len(there["sealed_key"]) == restored.summary.blobs == 3
    wanted = [row["blob"] for row in await db.fetch("SELECT blob FROM sealed_key")]
    here = objects_of(shop.store)
    assert objects_of(elsewhere) == {name: here[name] for name in wanted}
    assert (restored.summary.missing, restored.shut) == ([], [])


async def test_what_is_written_after_a_restore_takes_the_next_numbers(taken, live, scratch, elsewhere, keys) -> None:
    await restore(taken, url=scratch, store=elsewhere, keys=keys)
    sql = """INSERT INTO job_attempt (job_id, number, ended_at, outcome, error)
             SELECT id, 2, now(), 'failed', '' FROM job LIMIT 1 RETURNING id"""
    numbers = []
    for url in (live, scratch):
        connection = await asyncpg.connect(url)
        numbers.append(await connection.fetchval(sql))
        await connection.close()
    assert numbers[0] == numbers[1]


async def test_a_database_with_tables_but_no_rows_is_filled_too(taken, live, scratch, elsewhere, keys) -> None:
    await schema.migrate(scratch)
    await restore(taken, url=scratch, store=elsewhere, keys=keys)
    assert await rows_at(scratch) == await rows_at(live)


OLDER = "2026-11-28T16:00:00:000000"  # the tables of 0.2.0, without their constraints


async def test_a_backup_of_an_older_version_is_restored_as_it_was_and_brought_up_to_date(
    app, live, scratch, elsewhere, keys, tmp_path
) -> None:
    await schema.migrate(scratch, OLDER)
    old = await asyncpg.connect(scratch)
    await old.execute(
        """INSERT INTO customer_order (id, email, status, fulfillment_status, currency, subtotal, discount,
          total, created_at)
           VALUES (gen_random_uuid(), 'old@x.test', 'waiting', 'pending', 'USD', 10, 0, 10, now())"""
    )
    await taking.take(tmp_path / "old", url=scratch, store=elsewhere, keys=keys)
    await old.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    restored = await restore(tmp_path / "old", url=scratch, store=elsewhere, keys=keys)
    assert restored.manifest.migrations[-1] == OLDER
    assert await old.fetchval("SELECT email FROM customer_order") == "old@x.test"
    current = await asyncpg.connect(live)
    assert await schema.migrations(old) == await schema.migrations(current)
    assert [t.columns for t in await schema.tables(old)] == [t.columns for t in await schema.tables(current)]
    await old.close()
    await current.close()


async def test_nothing_is_ever_restored_over_a_shop(taken, live, elsewhere, keys) -> None:
    before = await rows_at(live)
    with pytest.raises(BackupRefused, match="not empty"):
        await restore(taken, url=live, store=elsewhere, keys=keys)
    assert await rows_at(live) == before
    assert objects_of(elsewhere) == {}


async def test_a_database_of_somebody_else_is_left_alone(taken, scratch, elsewhere, keys) -> None:
    stranger = await asyncpg.connect(scratch)
    await stranger.execute("CREATE TABLE theirs (id int)")
    await stranger.close()
    with pytest.raises(BackupRefused, match="none of ours"):
        await restore(taken, url=scratch, store=elsewhere, keys=keys)
    assert await rows_at(scratch) == {"theirs": []}


async def test_a_database_that_somebody_works_in_is_left_alone(taken, scratch, elsewhere, keys) -> None:
    await schema.migrate(scratch)
    before = await rows_at(scratch)
    worker = await asyncpg.connect(scratch)
    async with worker.transaction():
        await worker.execute("LOCK TABLE job IN ROW EXCLUSIVE MODE")
        with pytest.raises(BackupRefused, match="stop the shop there first"):
            await restore(taken, url=scratch, store=elsewhere, keys=keys)
    await worker.close()
    assert await rows_at(scratch) == before
    assert objects_of(elsewhere) == {}


def damaged(raw: bytes) -> dict[str, bytes]:
    middle = len(raw) // 2
    return {
        "cut by one byte": raw[:-1],
        "half": raw[:middle],
        "without its last chunk": raw[:52],
        "empty": b"",
        "a bit flipped": raw[:middle] + bytes([raw[middle] ^ 4]) + raw[middle + 1 :],
        "a bit flipped at the end": raw[:-1] + bytes([raw[-1] ^ 1]),
        "more behind it": raw + b"\0",
        "another format": raw[:8] + b"\x07" + raw[9:],
        "another file": b"-- PostgreSQL database dump" * 1000,
    }


async def test_a_damaged_file_changes_nothing(taken, scratch, elsewhere, keys) -> None:
    raw = taken.read_bytes()
    for name, bent in damaged(raw).items():
        path = taken.with_name("bent")
        path.write_bytes(bent)
        try:
            await restore(path, url=scratch, store=elsewhere, keys=keys)
            pytest.fail(name)
        except BackupRefused:
            continue
    assert await rows_at(scratch) == {}, "not even tables"
    assert objects_of(elsewhere) == {}


async def test_a_wrong_key_changes_nothing_and_is_named(taken, scratch, elsewhere) -> None:
    stranger = BackupKeys(MasterKeys.parse(MasterKeys.draw("stranger")))
    with pytest.raises(BackupRefused, match=r"test1.*MASTER_KEYS"):
        await restore(taken, url=scratch, store=elsewhere, keys=stranger)
    assert await rows_at(scratch) == {}
    assert objects_of(elsewhere) == {}


async def test_another_shops_objects_are_not_overwritten_and_no_row_is_left(taken, scratch, elsewhere, keys) -> None:
    name = await db.fetch_value("SELECT blob FROM sealed_key LIMIT 1")
    await elsewhere.put(name, b"theirs")
    with pytest.raises(BackupRefused, match="another shop's objects"):
        await restore(taken, url=scratch, store=elsewhere, keys=keys)
    assert await elsewhere.get(name) == b"theirs"
    assert {table for table, rows in (await rows_at(scratch)).items() if rows} <= {"audit_head"}
    await elsewhere.delete(name)
    await restore(taken, url=scratch, store=elsewhere, keys=keys)


async def test_objects_that_are_missing_are_reported_and_those_deleted_in_good_order_are_not(
    shop, tmp_path, live, keys
) -> None:
    lost, retired, _ = await db.fetch("SELECT id, blob FROM sealed_key ORDER BY id")
    for row in (lost, retired):
        await shop.store.delete(row["blob"])
    await db.fetch("UPDATE sealed_key SET deleted_at = now() WHERE id = $1", retired["id"])
    summary = await taking.take(tmp_path / "a", url=live, store=shop.store, keys=keys)
    assert (summary.missing, summary.blobs) == ([lost["blob"]], 1)
    assert examine(tmp_path / "a", keys)[1] == summary


async def test_a_key_that_is_retired_while_its_backup_runs_is_restored_as_retired(
    shop, tmp_path, live, scratch, elsewhere, keys
) -> None:
    retired = await db.fetch_value("SELECT blob FROM sealed_key ORDER BY id LIMIT 1")

    class Retiring:
        async def get(self, name: str) -> bytes:
            if name == retired:
                await db.fetch("UPDATE sealed_key SET deleted_at = now() WHERE blob = $1", name)
                await shop.store.delete(name)
            return await shop.store.get(name)

    summary = await taking.take(tmp_path / "a", url=live, store=Retiring(), keys=keys)  # type: ignore[arg-type]
    assert (summary.missing, summary.retired, summary.blobs) == ([], [retired], 2)
    await restore(tmp_path / "a", url=scratch, store=elsewhere, keys=keys)
    there = await asyncpg.connect(scratch)
    assert await there.fetchval("SELECT count(*) FROM sealed_key WHERE deleted_at IS NOT NULL") == 1
    assert await there.fetchval("SELECT deleted_at IS NOT NULL FROM sealed_key WHERE blob = $1", retired)
    await there.close()


async def test_s3_to_s3(shop, taken, scratch, keys, s3_bucket, tmp_path, live) -> None:
    url, bucket = s3_bucket
    s3 = S3Store(url, "id", "secret", bucket)
    await restore(taken, url=scratch, store=s3, keys=keys)
    again = await taking.take(tmp_path / "again.backup", url=scratch, store=s3, keys=keys)
    assert again.blobs == 3
    assert again.missing == []
    for row in await db.fetch("SELECT blob FROM sealed_key"):
        assert await s3.get(row["blob"]) == await shop.store.get(row["blob"])
    await s3.aclose()


async def test_a_key_whose_master_key_is_not_in_the_settings_is_named(
    taken, live, scratch, elsewhere, keys, shop
) -> None:
    await db.fetch("UPDATE order_data_key SET master_key_id = 'older'")
    await taking.take(taken.with_name("later"), url=live, store=shop.store, keys=keys)
    restored = await restore(taken.with_name("later"), url=scratch, store=elsewhere, keys=keys)
    assert restored.shut == ["older"]


async def test_a_backup_is_never_overwritten_and_nobody_else_may_read_it(shop, taken, live, keys) -> None:
    raw = taken.read_bytes()
    with pytest.raises(BackupRefused, match="never overwritten"):
        await taking.take(taken, url=live, store=shop.store, keys=keys)
    assert taken.read_bytes() == raw
    assert taken.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in taken.parent.iterdir() if path.is_file()] == [taken.name]


async def test_nothing_of_the_shop_can_be_read_in_the_file(taken) -> None:
    raw = taken.read_bytes()
    assert len(raw) > 20_000
    for word in (EMAIL, COIN, "customer_order", "keys/", "PGCOPY"):
        assert word.encode() not in raw


async def test_a_killed_backup_leaves_no_file_of_that_name_and_the_next_one_is_whole(
    shop, tmp_path, live, scratch, elsewhere, keys
) -> None:
    path = tmp_path / "killed.backup"
    # It waits in the middle, for a table that somebody has locked.
    blocker = await asyncpg.connect(live)
    async with blocker.transaction():
        await blocker.execute("LOCK TABLE sealed_key IN ACCESS EXCLUSIVE MODE")
        process = subprocess.Popen([sys.executable, "-m", "app.cli", "backup", str(path)], cwd=ROOT)
        draft = tmp_path / f".{path.name}.unfinished"
        deadline = clock.now() + clock.timedelta(seconds=30)
        waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'sealed_key'::regclass AND NOT granted)"
        while not await blocker.fetchval(waits):
            assert clock.now() < deadline
            await asyncio.sleep(0.05)
        with pytest.raises(BackupRefused, match="right now"):
            await taking.take(path, url=live, store=shop.store, keys=keys)
        process.kill()
        process.wait()
    await blocker.close()
    assert not path.exists()
    await taking.take(path, url=live, store=shop.store, keys=keys)
    assert not draft.exists()
    await restore(path, url=scratch, store=elsewhere, keys=keys)
    assert await rows_at(scratch) == await rows_at(live)


class FullDisk(Exception):
    """Ends a backup in its middle."""


async def test_a_backup_that_fails_in_the_middle_leaves_nothing(shop, tmp_path, live, keys) -> None:
    class Failing:
        async def get(self, _name: str) -> bytes:
            raise FullDisk

    with pytest.raises(FullDisk):
        await taking.take(tmp_path / "failed", url=live, store=Failing(), keys=keys)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


async def test_a_large_shop_streams_through_in_pieces(shop, tmp_path, live, scratch, elsewhere, keys) -> None:
    await db.fetch(
        """INSERT INTO inbound_webhook (id, provider, dedupe, headers, body, received_at, status)
           SELECT gen_random_uuid(), 'nowpayments', 'large:' || n, '{}', decode(repeat(md5(n::text), 40), 'hex'), now(),
             'applied'
           FROM generate_series(1, 8000) n"""
    )
    await taking.take(tmp_path / "large", url=live, store=shop.store, keys=keys)
    assert (tmp_path / "large").stat().st_size > 5 * CHUNK
    await restore(tmp_path / "large", url=scratch, store=elsewhere, keys=keys)
    assert await rows_at(scratch) == await rows_at(live)


async def test_a_backup_taken_while_orders_run_restores_to_a_moment_that_was(
    app, box, tmp_path, live, scratch, elsewhere, keys
) -> None:
    kit, stop = app.state.kit, asyncio.Event()

    async def trade() -> None:
        while not stop.is_set():
            await delivered(kit, box, random.randint(1, 2))

    traders = [asyncio.create_task(trade()) for _ in range(4)]
    while await count("sealed_key") < 6:
        await asyncio.sleep(0.02)
        assert not any(trader.done() for trader in traders)
    began = await count("event")
    summary = await taking.take(tmp_path / "busy", url=live, store=kit.store, keys=keys)
    stop.set()
    await asyncio.gather(*traders)
    assert await count("event") > began, "orders went on meanwhile"
    await restore(tmp_path / "busy", url=scratch, store=elsewhere, keys=keys)
    assert summary.missing == []
    connection = await asyncpg.connect(scratch)
    for what, sql in TORN.items():
        assert await connection.fetchval(f"SELECT count(*) FROM {sql}") == 0, what
    blobs = {row["blob"] for row in await connection.fetch("SELECT blob FROM sealed_key")}
    await connection.close()
    assert blobs == set(objects_of(elsewhere))


TORN = {  # what no single moment of the shop ever shows
    "fulfilled without all its keys": """customer_order p WHERE status = 'fulfilled' AND
        (SELECT count(*) FROM sealed_key k WHERE k.order_id = p.id)
        <> (SELECT sum(quantity) FROM order_item i WHERE i.order_id = p.id)""",
    "keys without their wrapped key": """sealed_key k WHERE NOT EXISTS
        (SELECT FROM order_data_key d WHERE d.order_id = k.order_id)""",
    "paid without a finished payment": """customer_order p WHERE status IN ('paid', 'fulfilled') AND NOT EXISTS
        (SELECT FROM payment y WHERE y.order_id = p.id AND y.status = 'finished')""",
    "a timeline with a gap": "timeline t WHERE last_seq <> (SELECT count(*) FROM event e WHERE e.subject = t.subject)",
    "a state that its timeline does not tell": """customer_order p WHERE status <> 'created' AND NOT EXISTS
        (SELECT FROM event e WHERE e.subject = p.id AND e.kind = 'order.' || p.status)""",
}


async def burn_down(app: Any) -> None:
    """Every row, every object and every message of the shop is gone."""
    names = [r["name"] for r in await db.fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")]
    await db.fetch("TRUNCATE " + ", ".join(name for name in names if name != "migration"))
    for name in objects_of(app.state.kit.store):
        await app.state.kit.store.delete(name)
    async with async_client() as redis:
        await redis.flushall()


async def test_orders_under_way_are_completed_after_a_restore_and_bought_once(
    app, box, drain, tmp_path, live, keys
) -> None:
    kit = app.state.kit
    fresh, _ = await paid(kit, box, 2)
    reserved, [item] = await paid(kit, box)
    await buy(kit, item)
    asked, [unanswered] = await paid(kit, box)
    # This one was bought, but its worker died before it could write that down, and holds the job still.
    with pytest.raises(Undone):
        await steps.reserve(unanswered.id, suppliers=open_suppliers(kit), commit=torn)
    [held] = await db.fetch("SELECT id FROM job WHERE name = 'fulfillment.reserve' AND subject = $1", asked)
    assert await jobs.claim(held["id"])
    assert len(await box.orders()) == 2
    await taking.take(tmp_path / "shop", url=live, store=kit.store, keys=keys)
    await burn_down(app)
    await restore(tmp_path / "shop", url=live, store=kit.store, keys=keys)
    with clock.travelled(clock.timedelta(seconds=90)):
        assert await jobs.reclaim_expired({}) == 1
        await drain(later=True)
    for order_id in (fresh, reserved, asked):
        assert (await order(order_id)).status == "fulfilled"
    books = await box.orders()
    externals = [bought["orderExternalId"] for bought in books]
    assert len(books) == len(set(externals)) == 3, "one purchase an item"
    assert await count("sealed_key") == 4
    assert await count("job", "status = 'failed'") == 0


async def test_jobs_that_wait_are_there_again_with_their_history(app, box, tmp_path, live, keys, drain) -> None:
    job_id = await jobs.post("maintenance.purge", {"of": "a test"})
    assert job_id
    lease = await jobs.claim(job_id)
    assert lease
    await jobs.reschedule(lease, "not yet", clock.timedelta(seconds=1))
    before = await rows_at(live)
    await taking.take(tmp_path / "shop", url=live, store=app.state.kit.store, keys=keys)
    await burn_down(app)
    await restore(tmp_path / "shop", url=live, store=app.state.kit.store, keys=keys)
    assert await rows_at(live) == before
    assert await drain(later=True) == 1
    assert await count("job", "status = 'completed' AND attempt = 2") == 1
