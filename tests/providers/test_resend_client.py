"""The Resend client against the sheet's own bodies (resend.md sections 1 to 5)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from app.providers.http import ApiKeyRejected, ProviderDown, ProviderError, ProviderProtocolError, ProviderRefused
from app.providers.resend import AlreadySent, QuotaExhausted, Resend

LETTER: dict[str, Any] = {
    "sender": "Shop <no-reply@shop.example>",
    "to": "delivered+o1@resend.dev",
    "subject": "Your order o-1 – ключ",
    "html": "<p>Ready</p>",
    "text": "Ready",
    "tags": {"order": "o_1"},
    "idempotency_key": "order-keys/o-1/1",
}


@pytest_asyncio.fixture(loop_scope="session")
async def client(wire: Any) -> AsyncIterator[Resend]:
    client = Resend(wire.url, "re_canary", total_seconds=0.5)
    yield client
    await client.aclose()


async def test_a_letter_goes_out_as_the_sheet_shows_it(wire: Any, client: Resend) -> None:
    wire.on("POST /emails", '{"id":"49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"}')
    assert await client.send(**LETTER, reply_to="help@shop.example") == "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794"
    sent = wire.last
    assert sent.json == {
        "from": "Shop <no-reply@shop.example>", "to": ["delivered+o1@resend.dev"], "subject": "Your order o-1 – ключ",
        "html": "<p>Ready</p>", "text": "Ready", "reply_to": "help@shop.example",
        "tags": [{"name": "order", "value": "o_1"}],
    }  # fmt: skip
    assert sent.headers["idempotency-key"] == "order-keys/o-1/1"
    assert sent.headers["authorization"] == "Bearer re_canary"
    assert sent.headers["user-agent"]


async def test_the_same_letter_is_the_same_bytes(wire: Any, client: Resend) -> None:
    wire.on("POST /emails", '{"id":"1"}')
    await client.send(**LETTER)
    await client.send(**LETTER)
    assert wire.seen[0].body == wire.seen[1].body
    await client.send(**LETTER | {"to": ["a@resend.dev", "b@resend.dev"], "tags": None})
    assert wire.last.json["to"] == ["a@resend.dev", "b@resend.dev"]
    assert "tags" not in wire.last.json


@pytest.mark.parametrize(
    "wrong",
    [
        {"idempotency_key": ""}, {"idempotency_key": "x" * 257}, {"idempotency_key": "a\r\nbcc: x"},
        {"idempotency_key": "ключ"}, {"tags": {"order id": "x"}}, {"tags": {"order": "o/1"}}, {"tags": {"o": ""}},
    ],
)  # fmt: skip
async def test_what_they_would_refuse_never_leaves(wire: Any, client: Resend, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        await client.send(**LETTER | wrong)
    assert wire.seen == []


@pytest.mark.parametrize(
    ("status", "name", "error"),
    [
        (400, "invalid_idempotency_key", ProviderRefused),
        (401, "missing_api_key", ApiKeyRejected),
        (401, "restricted_api_key", ApiKeyRejected),
        (403, "invalid_api_key", ApiKeyRejected),
        (403, "suspended_api_key", ApiKeyRejected),
        (403, "validation_error", ProviderRefused),
        (422, "validation_error", ProviderRefused),
        (403, "invalid_from_address", ProviderRefused),
        (409, "invalid_idempotent_request", AlreadySent),
        (409, "concurrent_idempotent_requests", ProviderDown),
        (409, "resource_locked", ProviderDown),
        (429, "rate_limit_exceeded", ProviderDown),
        (429, "daily_quota_exceeded", QuotaExhausted),
        (429, "monthly_quota_exceeded", QuotaExhausted),
        (451, "security_error", ProviderRefused),
        (500, "application_error", ProviderDown),
        (503, "service_unavailable", ProviderDown),
    ],
)
async def test_what_sending_can_answer(wire: Any, client: Resend, status: int, name: str, error: type) -> None:
    said = f'{{"statusCode":{status},"message":"about re_canary","name":"{name}"}}'
    wire.on("POST /emails", said, status)
    with pytest.raises(ProviderError) as failed:
        await client.send(**LETTER)
    assert type(failed.value) is error
    assert (failed.value.status, failed.value.code, failed.value.detail) == (status, name, "about ***")
    assert failed.value.may_have_happened is (status >= 500)


async def test_waits_are_theirs_where_named_and_ours_where_not(wire: Any, client: Resend) -> None:
    def said(name: str) -> str:
        return f'{{"statusCode":429,"message":"later","name":"{name}"}}'

    wire.on("POST /emails", said("rate_limit_exceeded"), 429, headers={"retry-after": "3"})
    wire.on("POST /emails", said("rate_limit_exceeded"), 429)
    wire.on("POST /emails", said("daily_quota_exceeded"), 429)
    wire.on("POST /emails", said("concurrent_idempotent_requests"), 409)
    waits = []
    for _ in range(4):
        with pytest.raises(ProviderDown) as down:
            await client.send(**LETTER)
        waits.append(down.value.retry_after)
    assert waits == [3, 1, 3600, 2]


@pytest.mark.parametrize(("status", "body"), [(403, b"error code: 1010"), (502, b"<html>"), (404, b"")])
async def test_a_cdn_is_down_not_refusing(wire: Any, client: Resend, status: int, body: bytes) -> None:
    wire.on("POST /emails", body, status)
    with pytest.raises(ProviderDown):
        await client.send(**LETTER)


async def test_an_answer_without_an_id_may_have_sent(wire: Any, client: Resend) -> None:
    wire.on("POST /emails", '{"object":"email"}')
    with pytest.raises(ProviderProtocolError) as confused:
        await client.send(**LETTER)
    assert confused.value.may_have_happened


async def test_health_accepts_a_key_that_may_only_send(wire: Any, client: Resend) -> None:
    restricted = '{"statusCode":401,"message":"send only","name":"restricted_api_key"}'
    wire.on("GET /emails", '{"object":"list","has_more":false,"data":[]}').on("GET /emails", restricted, 401)
    wire.on("GET /emails", '{"statusCode":403,"message":"no","name":"invalid_api_key"}', 403)
    await client.health()
    await client.health()
    with pytest.raises(ApiKeyRejected):
        await client.health()
