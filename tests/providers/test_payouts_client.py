"""The payout client against the sheet's bodies (nowpayments.md, 10), and against the sandbox as a real process."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from app.core import clock, totp
from app.core.settings import PAYOUT_DEFAULTS
from app.providers.http import ApiKeyRejected, ProviderDown, ProviderProtocolError
from app.providers.nowpayments_payouts import (
    AddressRefused,
    BalanceTooLow,
    CodeRefused,
    Payouts,
    PayoutUnknown,
)

PASSWORD = "a password with a *"
ROW = """{"is_request_payouts":false,"id":"5000000801","address":"T..","currency":"usdttrc20",
 "amount":"3.493353","batch_withdrawal_id":"5000000713","status":"CREATING","error":null,"extra_id":null,"hash":null,
 "ipn_callback_url":null,"payout_description":null,"unique_external_id":"r-1","created_at":"2026-01-01T00:00:00.000Z",
 "requested_at":null,"updated_at":null,"update_history_log":null,"rejected_check_attempts":0,"fee":null,
 "fee_paid_by":null}"""
CAMEL = """{"id":5000000801,"batchWithdrawalId":5000000713,"uniqueExternalId":"r-1","currency":"USDTTRC20",
 "amount":3.493353,"status":"Finished","hash":"abc","fee":"0.1","createdAt":"2026-01-01T00:00:00.000Z"}"""
CREATED = f'{{"id":"5000000713","withdrawals":[{ROW}]}}'
ADDRESS = "TFake" + "x" * 29


@pytest_asyncio.fixture(loop_scope="session")
async def client(wire: Any) -> AsyncIterator[Payouts]:
    made = Payouts(f"{wire.url}/v1", "the-key", email="me@shop.example", password=PASSWORD, total_seconds=2)
    yield made
    await made.aclose()


def asked(**change: Any) -> dict[str, Any]:
    given = {"address": ADDRESS, "coin": "USDTTRC20", "amount": Decimal("3.4933539"), "external_id": "r-1"}
    return given | {"memo": None, "description": "Refund"} | change


async def test_a_payout_is_asked_for_with_key_and_token_and_six_decimals(wire, client) -> None:
    wire.on("POST /v1/auth", '{"token":"jwt-1"}').on("POST /v1/payout", CREATED)
    made = await client.create(**asked())
    assert (made.id, made.batch_id, made.status, made.external_id) == ("5000000801", "5000000713", "creating", "r-1")
    assert wire.last.headers["authorization"] == "Bearer jwt-1"
    assert wire.last.headers["x-api-key"] == "the-key"
    assert b'"amount":3.493353' in wire.last.body
    assert wire.last.json["withdrawals"][0]["unique_external_id"] == "r-1"
    assert "extra_id" not in wire.last.json["withdrawals"][0]


async def test_a_token_is_kept_and_asked_for_again_after_a_401_only(wire, client) -> None:
    wire.on("POST /v1/auth", '{"token":"jwt-1"}').on("POST /v1/auth", '{"token":"jwt-2"}')
    refusal = '{"status":false,"statusCode":401,"code":"AUTH_REQUIRED","message":"Bearer is required"}'
    wire.on("POST /v1/payout", CREATED).on("POST /v1/payout", refusal, 401).on("POST /v1/payout", CREATED)
    await client.create(**asked())
    await client.create(**asked())
    assert [r.path for r in wire.seen] == ["/v1/auth", "/v1/payout", "/v1/payout", "/v1/auth", "/v1/payout"]
    assert wire.last.headers["authorization"] == "Bearer jwt-2"


async def test_a_second_401_is_our_own_accounts_fault(wire, client) -> None:
    refusal = '{"status":false,"statusCode":401,"code":"AUTH_REQUIRED","message":"Bearer is required"}'
    wire.on("POST /v1/auth", '{"token":"jwt"}').on("POST /v1/payout", refusal, 401)
    with pytest.raises(ApiKeyRejected):
        await client.create(**asked())
    assert [r.path for r in wire.seen].count("/v1/payout") == 2


@pytest.mark.parametrize(
    "body",
    [f"[{ROW}]", CREATED, f'{{"payouts":[{ROW}]}}', f'{{"id":5000000713,"withdrawals":[{CAMEL}]}}'],
    ids=["as documented", "as live", "as listed", "as the old types"],
)
async def test_every_shape_of_a_payout_is_read(wire, client, body: str) -> None:
    wire.on("GET /v1/payout/5000000713", body)
    found = await client.show("5000000713", "5000000801")
    assert (found.id, found.batch_id, found.amount) == ("5000000801", "5000000713", Decimal("3.493353"))
    assert found.currency == "usdttrc20"
    assert found.status in {"creating", "finished"}
    assert "authorization" not in wire.last.headers


async def test_a_401_on_a_call_for_the_key_alone_is_repeated_with_the_token(wire, client) -> None:
    wire.on("POST /v1/auth", '{"token":"jwt"}')
    wire.on("GET /v1/payout/5000000713", '{"code":"AUTH_REQUIRED"}', 401).on("GET /v1/payout/5000000713", CREATED)
    assert (await client.show("5000000713", "5000000801")).id == "5000000801"
    assert wire.last.headers["authorization"] == "Bearer jwt"


async def test_a_batch_without_our_payout_is_unknown(wire, client) -> None:
    wire.on("GET /v1/payout/5000000713", CREATED)
    with pytest.raises(PayoutUnknown):
        await client.show("5000000713", "1")


@pytest.mark.parametrize("said", [b"OK", b'"OK"', b"ok\n"])
async def test_ok_comes_as_plain_text(wire, client, said: bytes) -> None:
    wire.on("POST /v1/payout/validate-address", said, headers={"content-type": "text/html"})
    await client.validate_address(ADDRESS, "usdttrc20")
    assert wire.last.json == {"address": ADDRESS, "currency": "usdttrc20", "extra_id": None}


@pytest.mark.parametrize("said", [b"", b"NO", b"<html>OK</html>"])
async def test_anything_else_than_ok_proves_nothing(wire, client, said: bytes) -> None:
    wire.on("POST /v1/payout/validate-address", said)
    with pytest.raises(ProviderProtocolError) as raised:
        await client.validate_address(ADDRESS, "usdttrc20")
    assert raised.value.may_have_happened


@pytest.mark.parametrize("member", ["result", "min_amount"])
async def test_the_least_is_read_under_both_its_names(wire, client, member: str) -> None:
    wire.on("GET /v1/payout-withdrawal/min-amount/btc", f'{{"success":true,"{member}":0.00002496}}')
    assert await client.least("BTC") == Decimal("0.00002496")


REFUSALS = [
    (400, "BAD_CREATE_WITHDRAWAL_REQUEST", "Invalid payout_address: [usdttrc20] - x", AddressRefused),
    (400, "BAD_CREATE_WITHDRAWAL_REQUEST", "Insufficient balance", BalanceTooLow),
    (403, "ENDPOINT_NOT_ALLOWED", "Invalid IP", ApiKeyRejected),
    (403, "INVALID_API_KEY", "Invalid api key", ApiKeyRejected),
]


@pytest.mark.parametrize(("status", "code", "message", "named"), REFUSALS)
async def test_each_refusal_has_its_name_and_says_that_nothing_happened(
    wire, client, status, code, message, named
) -> None:
    wire.on("POST /v1/auth", '{"token":"jwt"}')
    wire.on("POST /v1/payout", f'{{"status":false,"code":"{code}","message":"{message} {PASSWORD}"}}', status)
    with pytest.raises(named) as raised:
        await client.create(**asked())
    assert not raised.value.may_have_happened
    assert PASSWORD not in str(raised.value)


async def test_a_lost_answer_may_have_happened(wire, client) -> None:
    wire.on("POST /v1/auth", '{"token":"jwt"}').on("POST /v1/payout", then="drop")
    with pytest.raises(ProviderDown) as raised:
        await client.create(**asked())
    assert raised.value.may_have_happened
    assert [r.path for r in wire.seen].count("/v1/payout") == 1


async def test_our_payout_is_found_on_a_later_page(wire, client) -> None:
    other = ROW.replace("r-1", "r-2")
    full = f'{{"payouts":[{",".join([other] * 100)}]}}'
    wire.on("GET /v1/payout", full).on("GET /v1/payout", f'{{"payouts":[{other},{ROW}]}}')
    found = await client.find("r-1", clock.now())
    assert found is not None
    assert found.id == "5000000801"
    assert [request.query["page"] for request in wire.seen] == ["0", "1"]


@pytest.fixture
async def real(box: Any) -> AsyncIterator[Payouts]:
    made = Payouts(
        f"{box.url}/nowpayments/v1", "sandbox-nowpayments-key", email="a@b.co", password="p", total_seconds=1.5
    )
    yield made
    await made.aclose()


def code_now(shift: int = 0) -> str:
    return totp.code(str(PAYOUT_DEFAULTS["nowpayments_totp_secret"]), totp.step_at(clock.now()) + shift)


async def payouts(box: Any) -> list[dict[str, Any]]:
    return list(await box.asks("GET", "payouts"))


@pytest.mark.processes
async def test_a_payout_goes_its_way_at_the_sandbox(real, box) -> None:
    await box.settings(payoutMode="by_hand")
    external_id = str(uuid4())
    made = await real.create(**asked(external_id=external_id))
    assert made.status == "creating"
    found = await real.find(external_id, clock.now() - timedelta(minutes=1))
    assert found is not None
    assert (found.id, found.batch_id) == (made.id, made.batch_id)
    await real.verify(made.batch_id, code_now())
    assert (await real.show(made.batch_id, made.id)).status == "processing"
    await box.asks("POST", f"payouts/{made.batch_id}", json={"action": "fail"})
    failed = await real.show(made.batch_id, made.id)
    assert (failed.status, bool(failed.error)) == ("failed", True)
    await box.asks("POST", f"payouts/{made.batch_id}", json={"action": "finish"})
    done = await real.show(made.batch_id, made.id)
    assert done.status == "finished"
    assert done.hash is not None
    assert done.fee == Decimal("0.003493")


@pytest.mark.processes
async def test_a_code_opens_one_batch_only_and_ten_wrong_ones_close_it(real, box) -> None:
    first, second = await real.create(**asked()), await real.create(**asked(external_id="r-2"))
    code = code_now()
    await real.verify(first.batch_id, code)
    with pytest.raises(CodeRefused):
        await real.verify(second.batch_id, code)
    for _ in range(9):
        with pytest.raises(CodeRefused):
            await real.verify(second.batch_id, "000000")
    with pytest.raises(CodeRefused):
        await real.verify(second.batch_id, code_now(1))
    assert (await real.show(second.batch_id, second.id)).status == "creating"


@pytest.mark.processes
async def test_the_sandbox_refuses_as_the_provider_does(real, box) -> None:
    for wrong in ("", "nonsense", "0x" + "0" * 40, ADDRESS + "x"):
        with pytest.raises(AddressRefused):
            await real.validate_address(wrong or " ", "usdttrc20")
    await real.validate_address(ADDRESS, "usdttrc20")
    with pytest.raises(AddressRefused):
        await real.validate_address(ADDRESS, "usdttrc20", "12")
    await box.settings(custody="1")
    with pytest.raises(BalanceTooLow):
        await real.create(**asked())
    with pytest.raises(PayoutUnknown):
        await real.show("1", "1")
    assert await payouts(box) == []
    assert await real.least("usdttrc20") == Decimal(1)
    assert await real.worth(Decimal(25), "USD", "btc") == Decimal("0.000260")


@pytest.mark.processes
async def test_a_payout_whose_answer_was_lost_is_found_by_our_id(real, box) -> None:
    await box.fault("nowpayments", "timeout_after_effect", path="/v1/payout", count=1, seconds=5)
    await real._bearer(fresh=True)
    external_id = str(uuid4())
    with pytest.raises(ProviderDown) as raised:
        await real.create(**asked(external_id=external_id))
    assert raised.value.may_have_happened
    found = await real.find(external_id, clock.now() - timedelta(minutes=1))
    assert found is not None
    assert len(await payouts(box)) == 1
