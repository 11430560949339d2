"""What every call over HTTP promises, seen through a client of NOWPayments on a real socket."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

import pytest
import pytest_asyncio

from app.core import clock
from app.providers.http import ApiKeyRejected, ProviderDown, ProviderError, ProviderProtocolError, ProviderRefused
from app.providers.nowpayments import NowPayments

SECRET = "api-key-canary-77"
Seen = list[tuple[str, str, str, float]]
BUY: dict[str, Any] = {
    "price_amount": Decimal("19.90"),
    "price_currency": "USD",
    "order_id": "o-1",
    "order_description": "Order o-1",
    "ipn_callback_url": "https://shop/ipn",
}
INVOICE = '{"id":"4522625843","order_id":"o-1","invoice_url":"https://nowpayments.io/payment/?iid=4522625843"}'
HTML = b"<html><body>error 1020</body></html>"


@pytest.fixture
def calls() -> Seen:
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def client(wire: Any, calls: Seen) -> AsyncIterator[NowPayments]:
    client = NowPayments(f"{wire.url}/v1/", SECRET, observer=lambda *call: calls.append(call), total_seconds=0.5)
    yield client
    await client.aclose()


async def failure(error: type[ProviderError], awaitable: Any) -> ProviderError:
    with pytest.raises(error) as failed:
        await awaitable
    assert SECRET not in repr(failed.value) + str(failed.value) + str(vars(failed.value))
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__ or failed.value.__context__ is None
    return failed.value


async def test_nobody_listening_is_down_and_nothing_happened() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    nobody = NowPayments(f"http://127.0.0.1:{port}", SECRET)
    error = await failure(ProviderDown, nobody.create_invoice(**BUY))
    assert not error.may_have_happened


@pytest.mark.parametrize("then", ["drop", "hang", "drip"])
async def test_a_lost_answer_may_have_happened_unless_it_was_a_look(wire: Any, client: NowPayments, then: str) -> None:
    wire.on("POST /v1/invoice", INVOICE, then=then).on("GET /v1/status", then=then)
    assert (await failure(ProviderDown, client.create_invoice(**BUY))).may_have_happened
    assert not (await failure(ProviderDown, client.status())).may_have_happened


@pytest.mark.parametrize(
    ("status", "happened"), [(500, True), (502, True), (504, True), (408, True), (429, False), (425, False)]
)
async def test_their_troubles_are_down(wire: Any, client: NowPayments, status: int, happened: bool) -> None:
    wire.on("POST /v1/invoice", '{"statusCode":500,"code":"OOPS","message":"try later"}', status)
    error = await failure(ProviderDown, client.create_invoice(**BUY))
    assert (error.status, error.code, error.may_have_happened) == (status, "OOPS", happened)


@pytest.mark.parametrize("body", [HTML, b"", b"[]", b'"no"', b"{", b"[" * 100_000])
@pytest.mark.parametrize("status", [401, 403, 404, 429, 503])
async def test_an_error_that_is_no_json_object_comes_from_a_cdn_and_is_down(
    wire: Any, client: NowPayments, status: int, body: bytes
) -> None:
    wire.on("GET /v1/status", body, status)
    assert (await failure(ProviderDown, client.status())).status == status


async def test_a_4xx_with_their_words_is_refused(wire: Any, client: NowPayments) -> None:
    said = f'{{"code":"INVALID_REQUEST_PARAMS","message":"bad {SECRET}\\n{"x" * 900}"}}'
    wire.on("POST /v1/invoice", said, 400)
    error = await failure(ProviderRefused, client.create_invoice(**BUY))
    assert (error.status, error.code, error.may_have_happened) == (400, "INVALID_REQUEST_PARAMS", False)
    assert error.detail.startswith("bad *** xxx")
    assert len(error.detail) == 300


async def test_a_401_of_theirs_is_about_our_key(wire: Any, client: NowPayments) -> None:
    wire.on("GET /v1/currencies", '{"message":"who are you"}', 401)
    await failure(ApiKeyRejected, client.currencies())


async def test_retry_after_is_read_as_seconds_or_date_and_kept_within_a_day(wire: Any, client: NowPayments) -> None:
    soon, past = clock.now() + timedelta(seconds=60), clock.now() - timedelta(days=3)
    given = ["7", format_datetime(soon, usegmt=True), format_datetime(past, usegmt=True), "9" * 9, "soon", "-1"]
    for value in given:
        wire.on("GET /v1/status", HTML, 429, headers={"retry-after": value})
    waits = [(await failure(ProviderDown, client.status())).retry_after for _ in given]
    assert waits[0] == 7
    assert waits[1] == pytest.approx(60, abs=3)
    assert waits[2:] == [0, 86_400, None, None]


async def test_no_redirect_is_followed(wire: Any, client: NowPayments) -> None:
    wire.on("GET /v1/status", b"", 302, headers={"location": "/v1/elsewhere"})
    wire.on("GET /v1/elsewhere", '{"message":"OK"}')
    assert (await failure(ProviderDown, client.status())).status == 302
    assert [seen.path for seen in wire.seen] == ["/v1/status"]


GARBAGE = [HTML, b"", b"{", b"[]", b'{"id":', b'{"id":NaN,"invoice_url":"https://x"}', b"\xff\xfe{}"]
GARBAGE += [b'{"id":1,"id":2,"invoice_url":"https://x"}', b"[" * 1_000_000, b'{"id":{},"invoice_url":"https://x"}']
GARBAGE += [b'{"id":"1","invoice_url":"javascript:alert(1)"}', b'{"id":"1"}', b'{"id":null,"invoice_url":"https://x"}']


@pytest.mark.parametrize("body", GARBAGE)
async def test_a_success_with_garbage_is_confused_and_may_have_happened(
    wire: Any, client: NowPayments, calls: Seen, body: bytes
) -> None:
    wire.on("POST /v1/invoice", body, 201)
    assert (await failure(ProviderProtocolError, client.create_invoice(**BUY))).may_have_happened
    assert [call[:3] for call in calls] == [("nowpayments", "create_invoice", "confused")]


async def test_an_answer_without_end_is_cut_off(wire: Any) -> None:
    client = NowPayments(f"{wire.url}/v1", SECRET)
    wire.on("GET /v1/status", b'{"message":"' + b"x" * 20_000_000 + b'"}')
    assert (await failure(ProviderProtocolError, client.status())).detail == "too long"
    wire.on("GET /v1/currencies", '{"currencies":[]}')
    assert await client.currencies() == frozenset()
    await client.aclose()


async def test_each_call_writes_one_line_without_secrets_and_one_observation(
    wire: Any, client: NowPayments, calls: Seen, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    wire.on("GET /v1/estimate", '{"estimated_amount":"0.17061637"}', headers={"cf-ray": "8d1"})
    wire.on("POST /v1/invoice", '{"code":"BAD_REQUEST","message":"body-canary"}', 400)
    await client.estimate(Decimal("3999.5"), "usd", "btc")
    await failure(ProviderRefused, client.create_invoice(**BUY | {"order_description": "body-canary"}))
    lines = [vars(line) for line in caplog.records]
    assert [line["name"] for line in lines] == ["bitloot.providers"] * 2
    first = {k: lines[0][k] for k in ("provider", "call", "outcome", "status", "trace")}
    assert first == {
        "provider": "nowpayments", "call": "estimate", "outcome": "ok", "status": 200, "trace": "8d1",
    }  # fmt: skip
    assert lines[0]["ms"] > 0
    assert (lines[1]["status"], lines[1]["outcome"], lines[1]["levelname"]) == (400, "refused", "WARNING")
    for secret in (SECRET, "3999.5", "canary"):
        assert secret not in str(lines)
    assert [call[:3] for call in calls] == [
        ("nowpayments", "estimate", "ok"),
        ("nowpayments", "create_invoice", "refused"),
    ]
    assert all(0 < call[3] < 0.5 for call in calls)


async def test_calls_share_a_connection_and_carry_key_and_agent(wire: Any, client: NowPayments) -> None:
    wire.on("GET /v1/status", '{"message":"OK"}')
    for _ in range(5):
        assert await client.status() == "OK"
    assert wire.connections == 1
    assert wire.last.headers["x-api-key"] == SECRET
    assert wire.last.headers["user-agent"] == "BitLoot/1"
    assert SECRET not in repr(client)


async def test_a_cancelled_call_gives_its_connection_back(wire: Any, client: NowPayments) -> None:
    wire.on("GET /v1/currencies", then="hang").on("GET /v1/status", '{"message":"OK"}')
    for _ in range(40):
        waiting = asyncio.create_task(client.currencies())
        while not wire.seen or wire.seen[-1].path != "/v1/currencies":
            await asyncio.sleep(0)
        wire.seen.clear()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert await client.status() == "OK"


async def test_one_client_serves_the_loop_it_is_called_on(wire: Any, client: NowPayments) -> None:
    wire.on("GET /v1/status", '{"message":"OK"}')

    async def elsewhere() -> str:
        said = await client.status()
        await client.aclose()
        return said

    assert await client.status() == "OK"
    assert await asyncio.to_thread(asyncio.run, elsewhere()) == "OK"
    assert await client.status() == "OK"


@pytest.mark.parametrize("url", ["", "api.nowpayments.io/v1", "file:///etc/passwd"])
def test_a_base_url_must_be_http(url: str) -> None:
    with pytest.raises(ValueError, match="base URL"):
        NowPayments(url, SECRET)
