"""Posts that were not genuine: counted, sampled, and never a row or a write each."""

import json

import pytest
from asyncpg import PostgresError

from app.core import clock, db
from app.inbox import queries
from app.inbox.refusals import SAMPLE_BYTES, Refusals, forget
from tests.builders import count

HEADERS = {
    "content-type": "application/json", "user-agent": "x" * 500, "x-nowpayments-sig": "5ec4e7" * 20,
    "x-event-secret": "almost the secret", "cookie": "bitloot_session=5ec4e7", "authorization": "Bearer 5ec4e7",
}  # fmt: skip


def refuse(counted: Refusals, times: int = 1, reason: str = "wrong signature", body: bytes = b"{}") -> None:
    for _ in range(times):
        counted.count("nowpayments", reason, HEADERS, body, "192.0.2.1")


async def test_ten_thousand_posts_are_one_row_with_their_count(app) -> None:
    counted = Refusals()
    refuse(counted, 10_000)
    assert await count("refused_notice") == 0
    await counted.flush()
    [row] = await queries.refused(10)
    assert (row.posts, row.provider, row.reason) == (10_000, "nowpayments", "wrong signature")


async def test_counts_of_every_process_and_every_write_add_up(app) -> None:
    one, other = Refusals(), Refusals()
    for number in range(1, 4):
        refuse(one, number)
        refuse(other, 10 * number, body=b"another")
        await one.flush()
        await other.flush()
    [row] = await queries.refused(10)
    assert (row.posts, row.sample_body) == (66, "{}")


async def test_each_reason_and_each_hour_has_a_row_of_its_own(app) -> None:
    counted = Refusals()
    for hours in (0, 1):
        with clock.travelled(clock.timedelta(hours=hours)):
            refuse(counted, 2)
            refuse(counted, 3, reason="no signature")
    await counted.flush()
    assert sorted(row.posts for row in await queries.refused(10)) == [2, 2, 3, 3]


async def test_the_sample_is_small_and_holds_no_secret(app) -> None:
    counted = Refusals()
    refuse(counted, body=b"\x00\xff" + b"x" * 10**6)
    await counted.flush()
    row = await db.fetch_one("SELECT * FROM refused_notice")
    assert row["sample_body"] == b"\x00\xff" + b"x" * (SAMPLE_BYTES - 2)
    headers = json.loads(row["sample_headers"])
    assert headers == {
        "content-type": "application/json", "user-agent": "x" * 200, "x-nowpayments-sig": "(120 characters)",
        "x-event-secret": "(17 characters)",
    }  # fmt: skip
    assert "5ec4e7" not in str(row)
    assert "almost" not in str(row)
    assert row["sample_ip"] == "192.0.2.1"


async def test_what_could_not_be_written_is_written_later(app) -> None:
    counted = Refusals()
    refuse(counted, 5)
    await db.fetch("ALTER TABLE refused_notice RENAME TO away")
    try:
        with pytest.raises(PostgresError):
            await counted.flush()
        refuse(counted, 2)
        await counted.close()  # a stopping process is not held up by it either
    finally:
        await db.fetch("ALTER TABLE away RENAME TO refused_notice")
    await counted.flush()
    assert [row.posts for row in await queries.refused(10)] == [7]


async def test_old_counts_are_forgotten(app) -> None:
    counted = Refusals()
    with clock.travelled(clock.timedelta(days=-31)):
        refuse(counted)
    refuse(counted)
    await counted.flush()
    await forget()
    assert await count("refused_notice") == 1
