"""The payment provider's door: what is signed is stored once and answered 200, all else is 401 and leaves nothing."""

import asyncio
import hashlib
import hmac
import json

import pytest

from app.core import db
from tests.web.builders import IPN_SECRET, assert_problem, compact, count, pay, picture, place, sign, tell

PATHS = ["/webhooks/nowpayments/ipn", "/payments/ipn"]
NOTICE = {
    "payment_id": 4522625843, "payment_status": "waiting", "pay_address": "bc1q", "price_amount": 19.99,
    "price_currency": "usd", "pay_amount": 0.000001, "actually_paid": 0, "pay_currency": "btc", "order_id": "ours",
    "fee": {"currency": "btc", "depositFee": 0, "serviceFee": 0}, "updated_at": 1700000000000,
}  # fmt: skip
BODY = compact(NOTICE)


async def kept() -> tuple[int, int]:
    jobs = await db.fetch_value("SELECT count(*) FROM job WHERE name = 'payments.apply_notice'")
    return await count("inbound_webhook"), jobs


@pytest.mark.parametrize("path", PATHS)
async def test_a_good_notice_is_stored_raw_with_one_job_and_answered(client, path: str) -> None:
    answer = await tell(client, BODY, path=path)
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert await kept() == (1, 1)
    assert await db.fetch_value("SELECT body FROM inbound_webhook") == BODY
    assert IPN_SECRET not in str(await db.fetch("SELECT headers FROM inbound_webhook"))
    assert sign(BODY) not in str(await db.fetch("SELECT headers FROM inbound_webhook"))


GOOD = {
    "as it comes": (BODY, sign(BODY)),
    "upper-case hex": (BODY, sign(BODY).upper()),
    "spaces around": (BODY, f"  {sign(BODY)} "),
    "unsorted and pretty, signed over the sorted text": (
        json.dumps(dict(reversed(NOTICE.items())), indent=4).replace("1e-06", "1e-6").encode(),
        sign(BODY.replace(b"1e-06", b"1e-6")),
    ),
    "a line break at the end": (BODY + b"\n", sign(BODY)),
    "200 kB": (compact(NOTICE | {"note": "x" * 200_000}), sign(compact(NOTICE | {"note": "x" * 200_000}))),
}


@pytest.mark.parametrize("name", GOOD)
async def test_every_genuine_signature_is_taken(client, name: str) -> None:
    assert (await tell(client, *GOOD[name])).status_code == 200
    assert await kept() == (1, 1)


WRONG = {
    "none": None,
    "empty": "",
    "cut by one": sign(BODY)[:-1],
    "half": sign(BODY)[:64],
    "one too long": sign(BODY) + "0",
    "twice": f"{sign(BODY)},{sign(BODY)}",
    "bent": ("0" if sign(BODY)[0] != "0" else "1") + sign(BODY)[1:],
    "another secret": sign(BODY, "another secret"),
    "an empty secret": sign(BODY, ""),
    "another body": sign(BODY + b" "),
    "sha256": hmac.new(IPN_SECRET.encode(), BODY, hashlib.sha256).hexdigest(),
    "no hmac": hashlib.sha512(BODY).hexdigest(),
    "the secret": IPN_SECRET,
    "zeros": "0" * 128,
    "words": "z" * 128,
    "the kinguin secret's": sign(BODY, "sandbox-kinguin-webhook-secret"),
}


@pytest.mark.parametrize("path", PATHS)
async def test_a_wrong_signature_is_401_and_nothing_is_stored(client, path: str) -> None:
    before = await picture()
    for name, text in WRONG.items():
        headers = {} if text is None else {"x-nowpayments-sig": text}
        answer = await client.post(path, content=BODY, headers=headers)
        assert_problem(answer, 401, "bad_signature", about=name)
    assert await picture() == before


BAD = {
    "empty": b"",
    "text": b"hello",
    "a list": b"[1]",
    "null": b"null",
    "half": BODY[:-5],
    "NaN": BODY.replace(b"19.99", b"NaN"),
    "a name twice": BODY[:-1] + b',"payment_id":1}',
    "deep": b'{"a":' * 60 + b"1" + b"}" * 60,
    "very deep": b"[" * 100_000 + b"]" * 100_000,
    "a BOM": b"\xef\xbb\xbf" + BODY,
    "not utf-8": BODY.replace(b"bc1q", b"\xff\xfe"),
    "a NUL": BODY.replace(b"bc1q", b"\\u0000"),
}


async def test_what_is_no_notice_is_refused_even_with_a_good_signature(client) -> None:
    before = await picture()
    for name, body in BAD.items():
        assert_problem(await tell(client, body), 401, "bad_signature", about=name)
    assert await picture() == before


@pytest.mark.parametrize("path", PATHS)
async def test_ten_megabytes_are_refused(client, path: str) -> None:
    before = await picture()
    answer = await tell(client, compact(NOTICE | {"note": "x" * 10 * 1024 * 1024}), path=path)
    assert_problem(answer, 413, "http_error")
    assert await picture() == before


async def test_a_repeat_is_200_and_leaves_one_row_on_either_path(client) -> None:
    for path in [*PATHS, *PATHS]:
        assert (await tell(client, BODY, path=path)).status_code == 200
    assert await kept() == (1, 1)


async def test_twenty_at_once_leave_one_row(client) -> None:
    answers = await asyncio.gather(*(tell(client, BODY) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert await kept() == (1, 1)


async def test_another_state_of_the_same_payment_is_another_notice(client) -> None:
    for change in ({}, {"payment_status": "confirming"}, {"actually_paid": 1}, {"updated_at": 1}, {"payment_id": 7}):
        assert (await tell(client, compact(NOTICE | change))).status_code == 200
    assert await kept() == (5, 5)


async def test_three_hundred_in_a_row_are_never_throttled(client) -> None:
    bodies = [compact(NOTICE | {"updated_at": number}) for number in range(300)]
    assert {(await tell(client, body)).status_code for body in bodies} == {200}
    assert await kept() == (300, 300)


async def test_cookies_and_content_types_do_not_matter_to_the_provider(client) -> None:
    client.cookies.set("bitloot_orders", "x")
    kinds = ("application/json", "text/plain", "application/x-www-form-urlencoded", "x", "multipart/form-data")
    for number, kind in enumerate(kinds):
        body = compact(NOTICE | {"updated_at": number})
        headers = {"content-type": kind, "x-nowpayments-sig": sign(body)}
        assert (await client.post(PATHS[0], content=body, headers=headers)).status_code == 200, kind
    assert await kept() == (5, 5)


async def test_a_notice_about_nothing_of_ours_is_200_and_ends_ignored(client, drain) -> None:
    assert (await tell(client, compact(NOTICE | {"payment_status": "finished"}))).status_code == 200
    await drain()
    assert "ignored" in await db.fetch_value("SELECT outcome FROM inbound_webhook")
    assert await count("payment") == 0


LIES = [
    {"order_id": "01234567-89ab-7def-8123-456789abcdef"}, {"price_amount": 0.01}, {"pay_currency": "doge"},
    {"actually_paid": 10**6}, {"payment_id": 1}, {"payment_status": "paid"}, {"order_id": None}, {},
]  # fmt: skip


@pytest.mark.parametrize("lie", LIES, ids=str)
async def test_a_signed_lie_does_not_pay_an_order(client, drain, box, lie: dict) -> None:
    order = await place(client)
    await drain()
    [payment] = await box.payments()
    said = {
        "payment_id": payment["payment_id"], "payment_status": "finished", "order_id": order.id,
        "price_amount": payment["price_amount"], "price_currency": "usd", "pay_amount": payment["pay_amount"],
        "actually_paid": payment["pay_amount"], "pay_currency": payment["pay_currency"], "updated_at": 1,
    }  # fmt: skip
    assert (await tell(client, compact(said | lie))).status_code == 200
    await drain()
    assert await db.fetch_value("SELECT status FROM customer_order") == "waiting"
    assert await count("reservation") == 0
    assert await box.orders() == []


async def test_the_true_notice_after_the_lies_still_pays(client, drain, box) -> None:
    order = await place(client)
    await drain()
    await tell(client, compact(NOTICE | {"order_id": order.id, "payment_status": "finished"}))
    await drain()
    await pay(client, box, order)
    await drain()
    assert await db.fetch_value("SELECT status FROM customer_order") == "fulfilled"
    assert len(await box.orders()) == 1
