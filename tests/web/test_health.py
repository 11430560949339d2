"""Health proves that work can be done: what answers but takes no writes, or gets nothing done, is not well."""

import json
from datetime import timedelta

import pytest
import redis

from app.core import clock, db
from app.core.settings import settings
from app.issues import clocks
from app.issues import queries as issues
from app.issues.clocks import ClockWatch
from app.queue import health_probes
from app.queue import service as jobs
from tests.builders import count
from tests.web.builders import assert_problem

OFF = timedelta(minutes=10)


@pytest.fixture
def full_redis(app):
    """Redis as on a small plan without eviction, at its limit."""
    with redis.Redis.from_url(settings().redis_url.get_secret_value()) as client:
        before = client.config_get("maxmemory*")
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", 1)
        yield client
        for name in ("maxmemory", "maxmemory-policy"):
            client.config_set(name, before[name])


@pytest.fixture
async def read_only(app):
    """The database as after a failover to a standby, or on a full disk: it answers and takes no writes."""
    name = await db.fetch_value("SELECT current_database()")
    pool = db.engine().pool
    await db.fetch(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await pool.expire_connections()
    yield
    async with db.transaction():
        await db.fetch("SET LOCAL transaction_read_only = off")
        await db.fetch(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    await pool.expire_connections()


async def _component(client, name: str) -> dict[str, object]:
    return dict((await client.get("/health")).json()["components"][name])


async def test_a_full_redis_is_named_and_nobody_is_sent_here(client, full_redis) -> None:
    answer = await client.get("/health")
    assert answer.json()["status"] == "degraded"
    state = answer.json()["components"]["redis"]
    assert (state["status"], state["error"]) == ("unhealthy", "full: it takes no writes (maxmemory)")
    refused = await client.get("/readyz")
    assert_problem(refused, 503, "not_ready")
    assert "Redis takes no writes" in refused.text
    assert refused.headers["retry-after"] == "5"
    full_redis.config_set("maxmemory", 0)
    assert (await client.get("/readyz")).status_code == 200


async def test_a_redis_that_follows_another_is_named(client, full_redis) -> None:
    full_redis.config_set("maxmemory", 0)
    full_redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    try:
        assert (await _component(client, "redis"))["error"] == "read-only: it takes no writes"
    finally:
        full_redis.execute_command("REPLICAOF", "NO", "ONE")
    assert (await _component(client, "redis"))["status"] == "healthy"


async def test_a_proof_leaves_nothing_behind(client) -> None:
    await health_probes.cache()
    await health_probes.database()
    with redis.Redis.from_url(settings().redis_url.get_secret_value()) as there:
        assert list(there.scan_iter("*probe*")) == []
    assert await count("process") == 0


async def test_a_database_that_takes_no_writes_is_not_ready_and_a_form_is_503(client, read_only) -> None:
    answer = await client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
    assert answer.json()["components"]["database"]["error"] == "read-only: it takes no writes"
    assert_problem(await client.get("/readyz"), 503, "not_ready")
    product = str(await db.fetch_value("SELECT id FROM product WHERE active AND stock > 0 LIMIT 1"))
    order = {"email": "a@b.de", "items": [{"productId": product, "quantity": 1}]}
    refused = await client.post("/orders", json=order)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert await count("customer_order") == 0


async def test_work_that_nobody_does_is_named(client) -> None:
    await jobs.post("maintenance.purge", {})
    await db.fetch("UPDATE job SET run_at = run_at - interval '50 seconds'")
    assert (await _component(client, "jobs"))["status"] == "healthy"
    await db.fetch("UPDATE job SET run_at = run_at - interval '40 seconds'")
    with pytest.raises(health_probes.Unfit, match=r"due for 9[01] s: is a worker running"):
        await health_probes.progress()


@pytest.mark.parametrize(("off", "words"), [(OFF, "600 s ahead of"), (-OFF, "600 s behind")])
async def test_a_machine_whose_clock_is_wrong_is_named_and_decides_nothing(client, off: timedelta, words: str) -> None:
    await db.ask_the_time()
    right = clock.now()
    with clock.machine_off_by(off):
        state = await _component(client, "clock")
        assert state["status"] == "unhealthy"
        assert words in str(state["error"])
        assert abs(clock.now() - right) < timedelta(minutes=1)
    assert (await _component(client, "clock"))["status"] == "healthy"


async def test_a_wrong_clock_is_an_issue_until_it_is_right_again(app) -> None:
    watch = ClockWatch()
    with clock.machine_off_by(OFF):
        await watch.look()
        await watch.look()
        [issue] = await issues.open_page(10)
        assert (issue.subject, issue.code) == (clocks.subject(), "clock_skew")
        assert "600 s ahead of the database's" in issue.detail
    await watch.look()
    assert await issues.open_page(10) == []


async def test_the_wrong_clock_of_a_machine_that_is_gone_is_no_issue_any_more_and_one_that_stands_is(app) -> None:
    watch = ClockWatch()
    with clock.machine_off_by(OFF):
        await watch.look()
        await db.fetch(
            """INSERT INTO issue (id, subject, code, detail, opened_at, said_at) VALUES
                 (gen_random_uuid(), 'clock:replaced', 'clock_skew', '', now() - interval '1 day',
                  now() - interval '121 s'),
                 (gen_random_uuid(), 'clock:busy', 'clock_skew', '', now() - interval '1 day',
                  now() - interval '110 s'),
                 (gen_random_uuid(), 'mail', 'mail_quota', '', now() - interval '1 day', now() - interval '1 day')"""
        )
        await db.fetch("UPDATE issue SET said_at = now() - interval '1 hour' WHERE subject = $1", clocks.subject())
        await watch.look()  # says again that it stands
        assert await clocks.forget_gone() == 1
        left = {issue.subject for issue in await issues.open_page(10)}
        assert left == {clocks.subject(), "clock:busy", "mail"}
        [gone] = await db.fetch("SELECT subject, resolved_by FROM issue WHERE resolved_at IS NOT NULL")
        assert tuple(gone) == ("clock:replaced", "system")


@pytest.mark.parametrize(
    ("age", "silent", "words"),
    [
        ("0 days", "1 hour", None),
        ("0 days", "13 hours", "the source has not answered for 13 hours"),
        ("9 days", "1 hour", "nothing is sold"),
        (None, "", "there is no rate: nothing is sold"),
    ],
)
async def test_health_says_how_old_the_rates_are(app, client, age: str | None, silent: str, words: str | None) -> None:
    kept = await db.fetch("SELECT id, currency, day, rate, fetched_at FROM exchange_rate")
    try:
        await db.fetch("DELETE FROM exchange_rate")
        if age is not None:
            await db.fetch(
                """INSERT INTO exchange_rate (id, currency, day, rate, fetched_at)
                   VALUES (gen_random_uuid(), 'USD', current_date - $1::text::interval, 1.1,
                     now() - $2::text::interval)""",
                age, silent,
            )  # fmt: skip
        state = await _component(client, "rates")
    finally:
        await db.fetch("DELETE FROM exchange_rate")
        for row in kept:
            columns = "id, currency, day, rate, fetched_at"
            await db.fetch(f"INSERT INTO exchange_rate ({columns}) VALUES ($1, $2, $3, $4, $5)", *row)
    assert state["status"] == ("unhealthy" if words else "healthy")
    assert words is None or words in str(state["error"])


async def test_a_workers_clock_decides_about_no_lease_and_no_due_time(app) -> None:
    """Ten minutes slow it would stand still, ten minutes fast it would take every lease for expired."""
    for off in (OFF, -OFF):
        with clock.machine_off_by(off):
            job_id = await jobs.post("maintenance.purge", {})
            assert job_id is not None
            lease = await jobs.claim(job_id)
            assert lease is not None, "what is due for all is due for it"
            assert await jobs.reclaim_expired({}) == 0
            assert await db.fetch_value(
                "SELECT lease_until - now() < interval '61 seconds' FROM job WHERE id = $1", job_id
            )
            await jobs.reschedule(lease, "again", timedelta(seconds=30))
            assert await jobs.claim(job_id) is None
            assert json.loads(json.dumps(await jobs.due(clock.now(), 5))) == []
            await db.fetch("DELETE FROM job_attempt")
            await db.fetch("DELETE FROM job")
