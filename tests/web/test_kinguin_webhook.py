"""The supplier's door: its secret opens it, notices are hints, and the answer is an empty 204."""

import asyncio
import hashlib
import hmac

import pytest

from app.core import db
from tests.web.builders import KINGUIN_SECRET, SIGNATURE_SECRET, assert_problem, count, picture

PATHS = ["/webhooks/kinguin", "/kinguin/webhooks"]
BODY = b'{"orderId":"X1","orderExternalId":"ours","status":"completed","updatedAt":"2026-11-20T10:00:00+00:00"}'
GOOD = {"x-event-name": "order.status", "x-event-secret": KINGUIN_SECRET, "content-type": "application/json"}


async def kept() -> tuple[int, int]:
    jobs = await db.fetch_value("SELECT count(*) FROM job WHERE name = 'fulfillment.apply_notice'")
    return await count("inbound_webhook"), jobs


@pytest.mark.parametrize("path", PATHS)
async def test_a_good_notice_is_stored_with_one_job_and_answered_with_an_empty_204(client, path: str) -> None:
    answer = await client.post(path, content=BODY, headers=GOOD)
    assert (answer.status_code, answer.content) == (204, b"")
    assert await kept() == (1, 1)
    row = await db.fetch_one("SELECT body, headers::text FROM inbound_webhook")
    assert row["body"] == BODY
    assert row["headers"] == '{"x-event-name": "order.status"}'


WRONG = (
    None, "", " ", KINGUIN_SECRET[:-1], KINGUIN_SECRET + "x", KINGUIN_SECRET.upper(), "sandbox-kinguin-key", "ü",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_a_wrong_secret_is_401_and_nothing_is_stored(client, path: str) -> None:
    before = await picture()
    for secret in WRONG:
        headers = {
            name: value.encode() for name, value in (GOOD | {"x-event-secret": secret}).items() if value is not None
        }
        answer = await client.post(path, content=BODY, headers=headers)
        assert_problem(answer, 401, "bad_signature", about=secret)
    assert await picture() == before


@pytest.mark.parametrize("kind", ["aplication/json", "application/josn", "text/html", "", "multipart/form-data"])
async def test_a_misspelt_content_type_does_not_matter(client, kind: str) -> None:
    answer = await client.post(PATHS[0], content=BODY, headers=GOOD | {"content-type": kind})
    assert answer.status_code == 204
    assert await kept() == (1, 1)


async def test_a_repeat_leaves_one_row_also_when_twenty_come_at_once(client) -> None:
    tries = [client.post(path, content=BODY, headers=GOOD) for path in PATHS * 10]
    assert {answer.status_code for answer in await asyncio.gather(*tries)} == {204}
    assert await kept() == (1, 1)


async def test_the_same_bytes_as_another_event_are_other_news(client) -> None:
    for event in ("order.status", "order.complete"):
        await client.post(PATHS[0], content=BODY, headers=GOOD | {"x-event-name": event})
    assert await kept() == (2, 2)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff\x00", b'{"orderId": 5}', b"[" * 50_000, b'{"orderId":"\\u0000"}'])
async def test_a_body_that_says_nothing_is_kept_and_ignored(client, drain, body: bytes) -> None:
    assert (await client.post(PATHS[0], content=body, headers=GOOD)).status_code == 204
    await drain()
    assert await kept() == (1, 1)
    assert await db.fetch_value("SELECT outcome FROM inbound_webhook") in {
        "ignored: names no order and no product",
        "ignored: no order of ours",
    }
    assert await db.fetch_value("SELECT count(*) FROM job WHERE status <> 'completed'") == 0


async def test_ten_megabytes_are_refused(client) -> None:
    before = await picture()
    answer = await client.post(PATHS[0], content=b" " * 10 * 1024 * 1024, headers=GOOD)
    assert_problem(answer, 413, "http_error")
    assert await picture() == before


async def test_a_lie_about_a_delivery_leads_to_a_question_and_no_key(client, ready, drain) -> None:
    supplier_id = await db.fetch_value("SELECT supplier_order_id FROM reservation")
    keys = await count("sealed_key")
    lie = f'{{"orderId":"{supplier_id}","status":"canceled","updatedAt":"2030"}}'.encode()
    assert (await client.post(PATHS[0], content=lie, headers=GOOD)).status_code == 204
    await drain()
    assert await db.fetch_value("SELECT status FROM customer_order") == "fulfilled"
    assert await count("sealed_key") == keys == 1


def signature(body: bytes, secret: str = SIGNATURE_SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha512).hexdigest()


async def test_where_an_hmac_is_agreed_on_the_secret_alone_does_not_open(strict) -> None:
    before = await picture()
    wrong = (None, "", signature(BODY)[:-1], signature(BODY + b" "), signature(BODY, "x"), "0" * 128)
    for text in wrong:
        extra = {} if text is None else {"x-kinguin-signature": text}
        assert_problem(await strict.post(PATHS[0], content=BODY, headers=GOOD | extra), 401, "bad_signature")
    alone = {"x-kinguin-signature": signature(BODY), "x-event-name": "order.status"}
    assert_problem(await strict.post(PATHS[0], content=BODY, headers=alone), 401, "bad_signature")
    assert await picture() == before


@pytest.mark.parametrize("path", PATHS)
async def test_secret_and_hmac_together_open(strict, path: str) -> None:
    for text in (signature(BODY), signature(BODY).upper()):
        answer = await strict.post(path, content=BODY, headers=GOOD | {"x-kinguin-signature": text})
        assert (answer.status_code, answer.content) == (204, b"")
    assert await kept() == (1, 1)
