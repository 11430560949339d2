"""Everything that can be wrong with POST /orders: a clear 4xx, and nothing stored."""

import json
import uuid

import pytest

from tests.web.builders import EMAIL, assert_problem, picture, product

JSON = "application/json"
ID = "@ID@"  # stands for a product's id
LINE = {"productId": ID, "quantity": 1}
GOOD = {"email": EMAIL, "items": [LINE]}


def but(**change: object) -> str:
    return json.dumps(GOOD | change)


def with_quantity(text: str) -> str:
    return f'{{"email":"{EMAIL}","items":[{{"productId":"{ID}","quantity":{text}}}]}}'


def with_email(email: object) -> str:
    return but(email=email)


MALFORMED = {
    "an empty body": "",
    "spaces": "   ",
    "a half": '{"email": "a@b.de", "items": [',
    "single quotes": "{'email': 'a@b.de'}",
    "a trailing comma": but()[:-1] + ",}",
    "two values": but() + but(),
    "NaN": with_quantity("NaN"),
    "Infinity": with_quantity("-Infinity"),
    "a name twice": but()[:-1] + f', "email": "{EMAIL}"}}',
    "a name twice deep down": with_quantity('1, "quantity": 1'),
    "deep lists": "[" * 30_000 + "]" * 30_000,
    "deep objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "deep in a known member": but(items="X").replace('"X"', "[" * 40 + "]" * 40),
    "a NUL": but(email="a\x00@b.de"),
    "a lone surrogate": but(email="@L@").replace("@L@", "\\ud800"),
    "a huge exponent": with_quantity("1e999999"),
    "a number of 5000 digits": with_quantity("9" * 5000),
    "comments": but() + " // ok",
}


async def refused(client, body: str | bytes, content_type: str = JSON):
    item = await product(client)
    raw = body if isinstance(body, bytes) else body.replace(ID, item["productId"]).encode()
    before = await picture()
    answer = await client.post("/orders", content=raw, headers={"content-type": content_type})
    assert await picture() == before
    assert "set-cookie" not in answer.headers
    return answer


async def test_broken_json_is_refused(client) -> None:
    for name, body in MALFORMED.items():
        assert_problem(await refused(client, body), 400, "malformed_body", about=name)


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf" + but().encode(), b'{"email":"\xff\xfe"}', but().encode("utf-16")])
async def test_bytes_that_are_not_plain_utf8_are_refused(client, body: bytes) -> None:
    assert_problem(await refused(client, body.replace(ID.encode(), uuid.uuid4().hex.encode())), 400, "malformed_body")


async def test_json_that_is_no_object_is_refused(client) -> None:
    for body in ("null", "[]", '"text"', "1", "true", "[{}]"):
        assert_problem(await refused(client, body), 400, "malformed_body", about=body)


WRONG_TYPES = [
    (but(email=None), "email"), (but(email=1), "email"), (but(email=["a@b.de"]), "email"), (but(email={}), "email"),
    (but(items=None), "items"), (but(items={}), "items"), (but(items="x"), "items"), (but(items=[1]), "items[0]"),
    (but(items=[[]]), "items[0]"), (but(items=[LINE, None]), "items[1]"),
    (but(items=[{"productId": 1, "quantity": 1}]), "items[0].productId"),
    (but(items=[{"productId": "x", "quantity": 1}]), "items[0].productId"),
    (but(items=[{"productId": None, "quantity": 1}]), "items[0].productId"),
    (with_quantity("1.5"), "items[0].quantity"), (with_quantity("1.0"), "items[0].quantity"),
    (with_quantity('"2"'), "items[0].quantity"), (with_quantity("true"), "items[0].quantity"),
    (with_quantity("null"), "items[0].quantity"), (with_quantity("[1]"), "items[0].quantity"),
    (with_quantity("1e2"), "items[0].quantity"),
    (but(payCurrency=5), "payCurrency"), (but(discountCode=["A"]), "discountCode"),
]  # fmt: skip


async def test_a_wrong_type_is_refused_and_its_field_is_named(client) -> None:
    for body, field in WRONG_TYPES:
        assert_problem(await refused(client, body), 400, "malformed_body", field, about=body)


@pytest.mark.parametrize(("body", "field"), [
    (json.dumps({"items": [LINE]}), "email"),
    (json.dumps({"email": EMAIL}), "items"),
    (but(items=[{"quantity": 1}]), "items[0].productId"),
    (but(items=[LINE, {"productId": ID}]), "items[1].quantity"),
])  # fmt: skip
async def test_a_missing_member_is_named(client, body: str, field: str) -> None:
    assert_problem(await refused(client, body), 400, "malformed_body", field)


async def test_a_quantity_out_of_range_is_refused(client) -> None:
    for quantity in ("0", "-1", "10", "1000000000", "-1000000000", "9" * 100):
        answer = await refused(client, with_quantity(quantity))
        assert_problem(answer, 400, "bad_items", "quantity", about=quantity)


@pytest.mark.parametrize("items", [
    [], [{"productId": str(uuid.uuid4()), "quantity": 1}], [LINE, LINE],
    [LINE, {"productId": str(uuid.uuid4()), "quantity": 1}],
    [{"productId": str(uuid.uuid4()), "quantity": 1} for _ in range(11)],
], ids=["none", "unknown", "one twice", "one unknown", "eleven"])  # fmt: skip
async def test_items_that_can_not_be_ordered_are_refused(client, items: list) -> None:
    assert_problem(await refused(client, but(items=items)), 400, "bad_items", "items")


UNREACHABLE = [
    "", " ", "a", "a@", "@b.de", "a@b", "a b@c.de", "a@b..de", ".a@b.de", "a@b.de, c@d.de", "<a@b.de>", "a@b.de>",
    "x" * 300, "x" * 300 + "@example.com", "a@" + "x" * 300 + ".com",
    "a@example.com\nBcc: b@example.com", "a@example.com\r\nX: y", "a\n@example.com", "a@exa\u2028mple.com", "a\t@b.de",
    "a@[127.0.0.1]", "a@\u202eexample.com", "mailto:a@b.de",
]  # fmt: skip


async def test_an_address_that_no_mail_could_reach_is_refused(client) -> None:
    for email in UNREACHABLE:
        assert_problem(await refused(client, with_email(email)), 400, "bad_email", "email", about=email)


@pytest.mark.parametrize(("change", "code", "field"), [
    ({"payCurrency": "nothing"}, "coin_not_offered", "payCurrency"),
    ({"payCurrency": "b" * 5000}, "coin_not_offered", "payCurrency"),
    ({"discountCode": "NOTHING"}, "unknown_discount", "discountCode"),
    ({"discountCode": "%" * 5000}, "unknown_discount", "discountCode"),
])  # fmt: skip
async def test_coins_and_codes_that_are_not_ours_are_refused(client, change, code: str, field: str) -> None:
    assert_problem(await refused(client, but(**change)), 400, code, field)


@pytest.mark.parametrize("size", [100_000, 10 * 1024 * 1024])
async def test_a_body_that_is_too_large_is_refused(client, size: int) -> None:
    answer = await refused(client, but(note="x" * size))
    assert_problem(answer, 413, "http_error")


async def test_a_large_body_without_a_length_is_refused_too(client) -> None:
    async def pieces():
        for _ in range(160):
            yield b" " * 65_536

    before = await picture()
    answer = await client.post("/orders", content=pieces(), headers={"content-type": JSON})
    assert_problem(answer, 413, "http_error")
    assert await picture() == before


@pytest.mark.parametrize("content_type", [
    "text/plain", "application/xml", "", "multipart/form-data", "application/x-www-form-urlencoded", "json",
    "application/jsonp", "multipart/form-data; boundary=x", "*/*", "application/octet-stream",
])  # fmt: skip
async def test_json_under_another_content_type_is_refused(client, content_type: str) -> None:
    answer = await refused(client, but(), content_type)
    assert 400 <= answer.status_code < 500
    assert_problem(answer, answer.status_code, answer.json()["code"], answer.json().get("field"))


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
async def test_a_token_does_not_make_another_content_type_good(client, content_type: str) -> None:
    client.headers["authorization"] = "Bearer nothing"
    assert_problem(await refused(client, but(), content_type), 400, "bad_email", "email")


async def test_the_charset_and_case_of_the_content_type_do_not_matter(client) -> None:
    item = await product(client)
    body = but().replace(ID, item["productId"]).encode()
    answer = await client.post("/orders", content=body, headers={"content-type": "Application/JSON; charset=UTF-8"})
    assert answer.status_code == 201
