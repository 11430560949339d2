"""A repeat is told by what it asks for, not by how it is written."""

from datetime import timedelta

import pytest

from app.core import clock
from app.merchants import idempotency
from tests.api.conftest import Till, card
from tests.api.test_error_codes import raw
from tests.builders import rows

PLAIN = '{"amount":"24.00","currency":"USD","reference":"r"}'
NOTED = '{"amount":"24","currency":"USD","reference":"r","metadata":{"a":"1","b":"2"}}'
WANTED = '{"url":"https://shop.example.com/h","types":["order.paid","refund.failed"]}'
MAILED = '{{"amount":"24","currency":"USD","reference":"r","customer_email":"{}"}}'
SAME = [
    ("/orders", PLAIN, '{ "reference" : "r",\n"currency":"USD","amount":"24"}'),
    ("/orders", PLAIN, '{"amount":"24.0","currency":"USD","reference":"r"}'),
    ("/orders", PLAIN, '{"amount_minor":2400,"currency":"USD","reference":"r"}'),
    ("/orders", PLAIN, '{"amount":"24","currency":"USD","reference":"\\u0072","metadata":{},"customer_email":null}'),
    ("/orders", NOTED, '{"metadata":{"b":"2","a":"1"},"amount":"24","currency":"USD","reference":"r"}'),
    *(("/orders", MAILED.format("ann@münchen.de"), MAILED.format(other))
      for other in ("ann@xn--mnchen-3ya.de", "ann@MÜNCHEN.de", "ANN@münchen.de", " ann@münchen.de ")),
    ("/webhooks/endpoints", WANTED,
     '{"types":["refund.failed","order.paid"],"name":"","url":"https://shop.example.com/h"}'),
]  # fmt: skip


@pytest.mark.parametrize(("path", "first", "second"), SAME)
async def test_the_same_request_written_in_another_way_is_a_repeat(
    till: Till, path: str, first: str, second: str
) -> None:
    one, two = await raw(till, first.encode(), path=path), await raw(till, second.encode(), path=path)
    assert one.status_code == 201, one.text
    assert (two.content, two.headers.get("idempotent-replayed")) == (one.content, "true")


@pytest.mark.parametrize(
    "second",
    [
        '{"amount":"24.01","currency":"USD","reference":"r"}', '{"amount":"24","currency":"EUR","reference":"r"}',
        '{"amount":"24","currency":"JPY","reference":"r"}', '{"amount":"24","currency":"USD","reference":"R"}',
        '{"amount":"24","currency":"USD","reference":"r","metadata":{"a":""}}',
        '{"amount":"24","currency":"USD","reference":"r","customer_email":"ann@example.com"}',
    ],
)  # fmt: skip
async def test_another_request_by_the_same_key_is_refused_and_changes_nothing(till: Till, second: str) -> None:
    assert (await raw(till, b'{"amount":"24","currency":"USD","reference":"r"}')).status_code == 201
    before = await rows(but=["api_key"])
    two = await raw(till, second.encode())
    assert (two.status_code, two.json()["code"]) == (422, "idempotency_key_reused")
    assert await rows(but=["api_key"]) == before


async def test_a_payment_and_a_refund_are_compared_by_what_they_ask(till: Till, drain) -> None:
    order = await till.order()
    spaced = card() | {"number": "4242 4242 4242 4242"}
    one = await till.post("/payments", {"order_id": order["id"], "method": "card", "card": card()}, "p")
    two = await till.post("/payments", {"card": spaced, "method": "card", "order_id": order["id"].upper()}, "p")
    assert two.content == one.content
    month, _, year = card()["expiry"].partition("/")
    longer = card() | {"expiry": f"{month} / 20{year[-2:]}"}
    three = await till.post("/payments", {"order_id": order["id"], "method": "card", "card": longer}, "p")
    assert three.content == one.content
    other = await till.order()
    flat = await till.post("/payments", {"order_id": other["id"], "method": "upi", "vpa": "success@test"}, "u")
    below = await till.post(
        "/payments", {"order_id": other["id"], "method": "upi", "upi": {"vpa": "success@test"}}, "u"
    )
    assert (flat.status_code, below.content) == (201, flat.content)
    large = await till.post("/payments", {"order_id": other["id"], "method": "upi", "vpa": "SUCCESS@test"}, "u")
    assert large.content == flat.content
    await drain(later=True)
    path = f"/payments/{one.json()['id']}/refunds"
    first = await till.post(path, {"amount": "20.00", "reason": "x"}, "r")
    for body in ({"amount": "20", "reason": "x"}, {"amount_minor": 2000, "reason": "x", "address": None}):
        assert (await till.post(path, body, "r")).content == first.content
    assert (await till.post(path.upper().replace("/PAYMENTS", "/payments").replace("/REFUNDS", "/refunds"),
                            {"amount": "20", "reason": "x"}, "r")).content == first.content  # fmt: skip
    changed = await till.post(path, {"amount_minor": 2001, "reason": "x"}, "r")
    assert changed.json()["code"] == "idempotency_key_reused"
    assert len((await rows())["refund"]) == 1


async def test_a_kept_refusal_goes_with_the_day(till: Till) -> None:
    body = {"order_id": (await till.order())["id"], "method": "card", "card": card("4242424242424241")}
    assert (await till.post("/payments", body, "k")).status_code == 422
    with clock.travelled(idempotency.KEPT + timedelta(minutes=1)):
        corrected = await till.post("/payments", body | {"card": card()}, "k")
    assert corrected.status_code == 201
