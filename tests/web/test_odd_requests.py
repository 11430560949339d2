"""Requests that no browser makes: NULs, other encodings, tokens of other letters, and callers that hang up."""

import asyncio
import json

import pytest

from tests.conftest import free_port
from tests.web.builders import csrf_of, session_of
from tests.web.conftest import Shop
from tests.web.test_http_protocol import address_of

pytestmark = pytest.mark.processes
CLOSE = b"host: a\r\nconnection: close\r\n"
ODD = [b"%00", b"a%00b", b"%ff", b"%ED%A0%80", b"%C0%80", b"x" * 3000, b"%F0%9F%8E%AE"]
HEADERS = [
    b"cookie", b"authorization", b"user-agent", b"x-request-id", b"accept", b"last-event-id", b"content-type",
    b"x-forwarded-for", b"x-api-key", b"if-none-match", b"range", b"accept-encoding",
]  # fmt: skip
FORM = b"content-type: application/x-www-form-urlencoded\r\n"


async def status_of(shop: Shop, raw: bytes) -> int:
    """The status that is answered to these bytes; 0 where there is no answer."""
    reader, writer = await asyncio.open_connection(*address_of(shop))
    try:
        writer.write(raw)
        async with asyncio.timeout(20):
            line = await reader.readline()
        return int(line.split(b" ")[1]) if line else 0
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
async def test_a_file_that_no_file_system_can_hold_is_404(app, shop, method: bytes) -> None:
    for name in (b"%00", b"css/%00", b"%00/base.css", b"css/base.css%00", b"x" * 300, b"x" * 5000, b"%ff", b"css"):
        assert await status_of(shop, method + b" /static/" + name + b" HTTP/1.1\r\n" + CLOSE + b"\r\n") == 404, name
    assert await status_of(shop, method + b" /static/css/base.css HTTP/1.1\r\n" + CLOSE + b"\r\n") == 200


@pytest.mark.parametrize("odd", ODD, ids=[odd[:9].decode() for odd in ODD])
async def test_odd_bytes_in_paths_and_queries_are_no_fault_of_ours(app, shop, ready, odd: bytes) -> None:
    mine = ready.id.encode()
    for path in (
        b"/" + odd, b"/products/" + odd, b"/covers/" + odd, b"/orders/" + odd, b"/links/" + odd, b"/blobs/" + odd,
        b"/refunds/claims/" + odd, b"/?q=" + odd, b"/?" + odd + b"=1", b"/?page=" + odd, b"/?platform=" + odd,
        b"/orders/" + mine + b"/status?after=" + odd, b"/checkout/email-hint?email=" + odd,
        b"/embed/checkout?token=" + odd,
        b"/fulfillment/" + mine + b"/download-link?itemId=" + odd, b"/docs/errors/" + odd, b"/sdk/" + odd,
    ):  # fmt: skip
        status = await status_of(shop, b"GET " + path + b" HTTP/1.1\r\n" + CLOSE + b"\r\n")
        assert 200 <= status < 500, (path, status)


@pytest.mark.parametrize("odd", [*ODD, b"\xff", b"\xc3\xa9", b"\xed\xa0\x80"])
async def test_odd_bytes_in_forms_cookies_and_headers_are_no_fault_of_ours(app, shop, outside, odd: bytes) -> None:
    page = await outside.get(f"{shop.url}/login", headers={"accept": "text/html"})
    token, cookie = csrf_of(page).encode(), f"bitloot_csrf={outside.cookies['bitloot_csrf']}".encode()
    session = b"; bitloot_session=" + (await session_of("ann@shop.test")).encode()
    for path, names in {
        b"/login": [b"email"], b"/orders/lookup": [b"email"], b"/admin/login": [b"email", b"password"],
        b"/cart": [b"slug", b"quantity"], b"/orders": [b"email", b"discount_code", b"pay_currency"],
        b"/logout": [b"x"], b"/merchant/choices": [b"mode", b"from"],
    }.items():  # fmt: skip
        for signed_in in (b"", session):
            body = b"&".join([b"_csrf_token=" + token, *(name + b"=" + odd for name in names), odd + b"=1"])
            raw = b"POST " + path + b" HTTP/1.1\r\n" + CLOSE + FORM + b"cookie: " + cookie + signed_in
            status = await status_of(shop, raw + b"\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            assert 200 <= status < 500, (path, status)
    short = odd[:200]
    for name in HEADERS:
        for value in (short, b"bitloot_csrf=" + short * 9, b"bitloot_orders=" + short, b"Bearer " + short):
            head = b"GET / HTTP/1.1\r\n" + CLOSE + name + b": " + value + b"\r\n\r\n"
            assert 200 <= await status_of(shop, head) < 500, (name, value)


TOKENS = {
    "short": "é",
    "as long as a real one": "é" * 128,
    "longer": "é" * 200,
    "of a real one's length, its end in other letters": "a" * 64 + "é" * 64,
}


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS.keys())
async def test_a_form_token_of_other_letters_is_a_refusal_and_no_fault(visitor, token: str) -> None:
    browser = visitor()
    await browser.get("/login")
    fields = {"_csrf_token": token, "email": "ann@shop.test"}
    assert (await browser.post("/login", data=fields)).status_code == 403
    assert (await browser.post("/login", files={"_csrf_token": ("a", b"b")}, data={"email": "x"})).status_code == 403
    odd = token.encode()
    assert (await browser.post("/login", data={"email": "x"}, headers={b"x-csrf-token": odd})).status_code == 403
    with_cookie = {b"cookie": b"bitloot_csrf=" + odd}
    browser.cookies.clear()
    assert (await browser.get("/login", headers=with_cookie)).status_code == 200
    assert (await browser.post("/login", data=fields, headers=with_cookie)).status_code == 403


HANGING = {
    "in JSON": b"POST /orders HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
    "in a form": b"POST /login HTTP/1.1\r\nhost: a\r\n" + FORM + b"content-length: 100\r\n\r\na=b",
    "in a file": b"POST /login HTTP/1.1\r\nhost: a\r\ncontent-type: multipart/form-data; boundary=x\r\n"
    b"content-length: 100\r\n\r\n--x",
    "in a notice": b"POST /webhooks/nowpayments/ipn HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{",
    "in an API call": b"POST /api/v1/orders HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n"
    b"content-length: 100\r\n\r\n{",
}  # fmt: skip


async def test_a_caller_who_hangs_up_leaves_no_traceback_in_the_log(app, sandbox_process: str) -> None:
    shop = Shop(f"hung-up-{free_port()}")
    try:
        for raw in HANGING.values():
            _, writer = await asyncio.open_connection(*address_of(shop))
            writer.write(raw)
            await writer.drain()
            # Once the next request is answered, the one before is under way.
            assert await status_of(shop, b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"\r\n") == 200
            writer.transport.abort()
        assert await status_of(shop, b"GET / HTTP/1.1\r\n" + CLOSE + b"\r\n") == 200
    finally:
        shop.stop()
    text = shop.log.read_text()
    assert "Traceback" not in text
    ended = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert [line["status"] for line in ended if line.get("event") == "request" and line["status"] >= 500] == []
    assert not [line for line in ended if line["level"] in {"error", "critical"}]
