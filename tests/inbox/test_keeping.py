"""The inbox: a notice is kept raw, once, together with the job that applies it."""

import asyncio
import json

from app.core import db
from app.inbox import queries
from app.inbox import service as inbox
from app.queue import queries as job_rows
from tests.builders import count, rows

BODY = b'{"payment_id":1,"note":"\xd0\xba\xd0\xbb\xd1\x8e\xd1\x87"}  '


async def keep(dedupe: str = "1:finished", provider: str = "nowpayments", body: bytes = BODY) -> bool:
    return await inbox.keep(provider, dedupe, {"x-sig": "verified"}, body, job="payments.apply_notice")


async def test_a_notice_is_kept_byte_for_byte_with_one_job_for_it(app) -> None:
    assert await keep()
    notice = await db.fetch_one("SELECT * FROM inbound_webhook")
    job = await db.fetch_one("SELECT * FROM job")
    assert notice is not None
    assert job is not None
    assert await queries.body(notice["id"]) == BODY
    assert (job["name"], job["queue"], json.loads(job["args"])) == (
        "payments.apply_notice",
        "orders",
        {"notice_id": str(notice["id"])},
    )
    assert (notice["status"], job["status"]) == ("pending", "pending")


async def test_a_repeat_leaves_no_second_row_and_no_second_job(app) -> None:
    assert await keep()
    before = await rows()
    assert not await keep()
    assert not await keep(body=b"another body under the same name")
    assert await rows() == before


async def test_of_thirty_repeats_at_once_one_is_kept(app) -> None:
    kept = await asyncio.gather(*(keep() for _ in range(30)))
    assert sum(kept) == 1
    assert (await count("inbound_webhook"), await count("job")) == (1, 1)


async def test_thirty_different_ones_at_once_are_all_kept(app) -> None:
    assert all(await asyncio.gather(*(keep(str(n)) for n in range(30))))
    assert (await count("inbound_webhook"), await count("job")) == (30, 30)


async def test_two_providers_may_use_the_same_name(app) -> None:
    assert await keep()
    assert await keep(provider="kinguin")
    assert await queries.counts(["nowpayments", "kinguin"]) == {"nowpayments": 1, "kinguin": 1}


async def test_what_a_notice_led_to_is_written_beside_it(app) -> None:
    await keep()
    notice_id = await db.fetch_value("SELECT id FROM inbound_webhook")
    await inbox.applied(notice_id, "paid in full")
    found = await queries.one(notice_id)
    assert found is not None
    assert (found.status, found.outcome, found.headers) == ("applied", "paid in full", {"x-sig": "verified"})
    assert found.applied_at is not None
    assert await job_rows.counts() == {"pending": 1}


async def test_an_enormous_name_is_cut_and_still_recognised(app) -> None:
    assert await keep("x" * 5000)
    assert not await keep("x" * 5000)
    assert await count("inbound_webhook") == 1
