"""The NOWPayments client against the sheet's own bodies (nowpayments.md sections 2 to 6)."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from app.core.signing import parse_strict
from app.providers.http import ApiKeyRejected, ProviderProtocolError, ProviderRefused
from app.providers.nowpayments import (
    AmountTooLarge,
    AmountTooSmall,
    Coin,
    CoinUnavailable,
    Invoice,
    MinAmount,
    NowPayments,
    PaymentUnknown,
    read_report,
)

INVOICE = """{"id":"4522625843","token_id":"5163113614","order_id":"o-1","order_description":"Order o-1",
 "price_amount":"1000","price_currency":"usd","pay_currency":null,"ipn_callback_url":"https://shop/ipn",
 "invoice_url":"https://nowpayments.io/payment/?iid=4522625843","success_url":"...","cancel_url":"...",
 "partially_paid_url":null,"payout_currency":null,"created_at":"2026-01-01T00:00:00.000Z",
 "updated_at":"2026-01-01T00:00:00.000Z","is_fixed_rate":false,"is_fee_paid_by_user":false}"""

CREATED = """{"payment_id":"5745459419","payment_status":"waiting","pay_address":"3EZ2uTdVDAMFXTfc6uLDDKR6o8qKBZXVkj",
 "price_amount":25,"price_currency":"usd","pay_amount":0.00041,"pay_currency":"btc","order_id":"o-1",
 "order_description":"Order o-1","ipn_callback_url":"https://shop/ipn","created_at":"2026-01-01T00:00:00.000Z",
 "updated_at":"2026-01-01T00:00:00.000Z","purchase_id":"5837122679","amount_received":null,"payin_extra_id":null,
 "smart_contract":"","network":"btc","network_precision":8,"time_limit":null,"burning_percent":null,
 "expiration_estimate_date":"2026-01-01T00:20:00.000Z","is_fixed_rate":false,"is_fee_paid_by_user":false,
 "valid_until":"2026-01-08T00:00:00.000Z","type":"crypto2crypto"}"""

STATUS = """{"payment_id":5745459419,"invoice_id":null,"payment_status":"finished","pay_address":"3EZ2...",
 "payin_extra_id":null,"price_amount":25,"price_currency":"usd","pay_amount":0.00041,"actually_paid":0.00041,
 "actually_paid_at_fiat":24.9,"pay_currency":"btc","order_id":"o-1","order_description":"Order o-1",
 "purchase_id":5837122679,"outcome_amount":24.1,"outcome_currency":"usdttrc20","payout_hash":null,
 "payin_hash":null,"created_at":"2026-01-01T00:00:00.000Z","updated_at":"2026-01-01T00:21:00.000Z",
 "burning_percent":"null","type":"crypto2crypto","payment_extra_ids":[5513339153]}"""

IPN = b"""{"actually_paid":0.00656612,"actually_paid_at_fiat":0,"fee":{"currency":"btc","depositFee":0.000002,
 "serviceFee":0.000003,"withdrawalFee":0},"invoice_id":null,"order_description":null,"order_id":"o-1",
 "outcome_amount":0.00022187,"outcome_currency":"btc","parent_payment_id":null,"pay_address":"0x..",
 "pay_amount":0.00656612,"pay_currency":"eth","payin_extra_id":null,"payment_extra_ids":null,
 "payment_id":5800000001,"payment_status":"finished","price_amount":20,"price_currency":"usd",
 "purchase_id":"5170000001","updated_at":1765249461097}"""

ORDER: dict[str, Any] = {
    "price_amount": Decimal("19.90"),
    "price_currency": "USD",
    "order_id": "o-1",
    "order_description": "Order o-1",
    "ipn_callback_url": "https://shop/ipn",
}


@pytest_asyncio.fixture(loop_scope="session")
async def client(wire: Any) -> AsyncIterator[NowPayments]:
    client = NowPayments(f"{wire.url}/v1", "np-key")
    yield client
    await client.aclose()


async def test_an_invoice_is_asked_for_with_exact_numbers_and_nothing_unasked(wire: Any, client: NowPayments) -> None:
    wire.on("POST /v1/invoice", INVOICE, 201)
    made = await client.create_invoice(**ORDER, pay_currency="BTC", is_fixed_rate=True, success_url="https://shop/o-1")
    assert made == Invoice("4522625843", "https://nowpayments.io/payment/?iid=4522625843", "o-1")
    assert b'"price_amount":19.90,' in wire.last.body
    assert wire.last.json == {
        "price_amount": 19.9, "price_currency": "usd", "order_id": "o-1", "order_description": "Order o-1",
        "ipn_callback_url": "https://shop/ipn", "pay_currency": "btc", "is_fixed_rate": True,
        "success_url": "https://shop/o-1",
    }  # fmt: skip
    assert wire.last.headers["x-api-key"] == "np-key"


@pytest.mark.parametrize(
    ("number", "in_json", "in_query"),
    [
        ("0.1", "0.1", "0.1"),
        ("1E+2", "100", "100"),
        ("1E-7", "1E-7", "0.0000001"),
        ("0.30000000000000004441", "0.30000000000000004441", "0.30000000000000004441"),
    ],
)
async def test_numbers_leave_as_exact_texts(
    wire: Any, client: NowPayments, number: str, in_json: str, in_query: str
) -> None:
    wire.on("POST /v1/invoice", INVOICE).on("GET /v1/estimate", '{"estimated_amount":1}')
    await client.create_invoice(**ORDER | {"price_amount": Decimal(number)})
    assert f'"price_amount":{in_json},'.encode() in wire.last.body
    await client.estimate(Decimal(number), "usd", "BTC")
    assert wire.last.query == {"amount": in_query, "currency_from": "usd", "currency_to": "btc"}


@pytest.mark.parametrize("number", ["0", "-1", "NaN", "Infinity", "1E+999999"])
async def test_absurd_amounts_never_leave(wire: Any, client: NowPayments, number: str) -> None:
    for asked in (
        client.create_invoice(**ORDER | {"price_amount": Decimal(number)}),
        client.estimate(Decimal(number), "usd", "btc"),
    ):
        with pytest.raises(ValueError, match="amount"):
            await asked
    assert wire.seen == []


async def test_a_payment_on_an_invoice_has_address_amount_and_end(wire: Any, client: NowPayments) -> None:
    wire.on("POST /v1/invoice-payment", CREATED, 201)
    report = await client.pay_invoice("4522625843", "BTC")
    assert wire.last.json == {"iid": "4522625843", "pay_currency": "btc"}
    assert (report.payment_id, report.status, report.purchase_id) == ("5745459419", "waiting", "5837122679")
    assert (report.pay_address, report.pay_amount) == ("3EZ2uTdVDAMFXTfc6uLDDKR6o8qKBZXVkj", Decimal("0.00041"))
    assert report.expires_at == datetime(2026, 1, 1, 0, 20, tzinfo=UTC)
    assert report.valid_until == datetime(2026, 1, 8, tzinfo=UTC)
    assert (report.network, report.payin_extra_id, report.actually_paid) == ("btc", None, None)


async def test_a_payment_alone_and_a_top_up(wire: Any, client: NowPayments) -> None:
    wire.on("POST /v1/payment", CREATED, 201)
    await client.create_payment(**ORDER, pay_currency="BTC", purchase_id="5837122679")
    assert wire.last.json["purchase_id"] == "5837122679"
    assert wire.last.json["pay_currency"] == "btc"


async def test_the_state_of_a_payment(wire: Any, client: NowPayments) -> None:
    wire.on("GET /v1/payment/5745459419", STATUS)
    report = await client.payment("5745459419")
    assert (report.payment_id, report.status, report.purchase_id) == ("5745459419", "finished", "5837122679")
    assert (report.price_amount, report.actually_paid) == (Decimal(25), Decimal("0.00041"))
    assert (report.outcome_amount, report.outcome_currency) == (Decimal("24.1"), "usdttrc20")
    assert (report.expires_at, report.updated_at) == (None, "2026-01-01T00:21:00.000Z")


async def test_an_id_cannot_lead_elsewhere(wire: Any, client: NowPayments) -> None:
    with pytest.raises(ProviderRefused):
        await client.payment("../status?x=1")
    assert wire.last.path == "/v1/payment/..%2Fstatus%3Fx%3D1"


def test_a_notice_reads_like_an_answer() -> None:
    report = read_report(parse_strict(IPN))
    assert (report.payment_id, report.order_id, report.invoice_id) == ("5800000001", "o-1", None)
    assert str(report.actually_paid) == str(report.pay_amount) == "0.00656612"
    assert report.updated_at == "1765249461097"
    assert report.parent_payment_id is None


def test_types_may_flip_and_words_be_strange() -> None:
    flipped = {
        "payment_id": "5800000001", "payment_status": " Partially_PAID ", "pay_amount": "0.034133",
        "invoice_id": 77, "parent_payment_id": "null", "price_amount": "20.00", "pay_currency": "USDTTRC20",
        "order_id": 12, "actually_paid": 0, "purchase_id": "", "valid_until": "not a date",
    }  # fmt: skip
    report = read_report(flipped)
    assert (report.status, report.pay_currency) == ("partially_paid", "usdttrc20")
    assert (report.pay_amount, report.actually_paid) == (Decimal("0.034133"), Decimal(0))
    assert (report.invoice_id, report.order_id) == ("77", "12")
    assert (report.parent_payment_id, report.purchase_id, report.valid_until) == (None, None, None)
    assert read_report({"payment_id": 1, "payment_status": "Brand_New"}).status == "brand_new"


@pytest.mark.parametrize(
    "change",
    [
        {"payment_id": None}, {"payment_id": True}, {"payment_id": {}}, {"payment_id": Decimal("1.5")},
        {"payment_id": "9" * 101}, {"payment_status": "null"}, {"payment_status": []}, {"payment_status": None},
        {"pay_amount": "lots"}, {"pay_amount": -1}, {"pay_amount": "NaN"}, {"pay_amount": True},
        {"pay_amount": 0.5}, {"pay_amount": "1e999999"}, {"pay_address": ["a"]},
    ],
)  # fmt: skip
def test_wrong_shapes_are_confused(change: dict[str, Any]) -> None:
    with pytest.raises(ProviderProtocolError):
        read_report({"payment_id": 1, "payment_status": "waiting"} | change)


@pytest.mark.parametrize("body", [None, [], "x", {}, {"payment_id": 1}, {"payment_status": "waiting"}])
def test_what_is_no_report_is_confused(body: object) -> None:
    with pytest.raises(ProviderProtocolError):
        read_report(body)


members = st.sampled_from(["payment_id", "payment_status", "pay_amount", "order_id", "valid_until"])
values = st.none() | st.booleans() | st.integers() | st.decimals() | st.text() | st.lists(st.none())


@given(st.dictionaries(members, values))
def test_any_members_make_a_report_or_are_confused(body: dict[str, Any]) -> None:
    try:
        report = read_report(body)
    except ProviderProtocolError:
        return
    assert report.payment_id
    assert report.status


async def test_coins_minimums_and_estimates(wire: Any, client: NowPayments) -> None:
    wire.on("GET /v1/currencies", '{"currencies":["BTC","eth"]}')
    wire.on(
        "GET /v1/min-amount",
        """{"currency_from":"eth","currency_to":"trx","min_amount":0.0078999,
      "fiat_equivalent":35.40626584}""",
    )
    wire.on(
        "GET /v1/estimate",
        """{"currency_from":"usd","amount_from":3999.5,"currency_to":"btc",
      "estimated_amount":"0.17061637"}""",
    )
    assert await client.currencies() == {"btc", "eth"}
    least = await client.min_amount("ETH", payout_coin="TRX", fiat="USD")
    assert least == MinAmount(Decimal("0.0078999"), Decimal("35.40626584"))
    assert wire.last.query == {"currency_from": "eth", "currency_to": "trx", "fiat_equivalent": "usd"}
    await client.min_amount("eth")
    assert "currency_to" not in wire.last.query
    assert await client.estimate(Decimal("3999.5"), "usd", "btc") == Decimal("0.17061637")


@pytest.mark.parametrize("name", ["selectedCurrencies", "currencies"])
async def test_only_coins_that_can_be_paid_in_are_listed(wire: Any, client: NowPayments, name: str) -> None:
    wire.on("GET /v1/merchant/coins", f'{{"{name}":["XRP","BTC","GONE","OFF","ASIDE"]}}')
    row = '{"id":1,"code":"%s","name":"%s","enable":%s,"network":"%s","extra_id_exists":%s,"available_for_payment":%s}'
    rows = [
        row % ("BTC", "Bitcoin", "true", "btc", "false", "true"),
        row % ("XRP", "Ripple", "true", "XRP", "true", "true"),
        row % ("OFF", "Off", "false", "off", "false", "true"),
        row % ("ASIDE", "Aside", "true", "aside", "false", "false"),
    ]
    wire.on("GET /v1/full-currencies", f'{{"currencies":[{",".join(rows)}]}}')
    assert await client.coins() == [Coin("xrp", "Ripple", "xrp", True), Coin("btc", "Bitcoin", "btc", False)]


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (403, "INVALID_API_KEY", "Invalid api key", ApiKeyRejected),
        (401, "INVALID_API_KEY", "Invalid api key", ApiKeyRejected),
        (400, "AMOUNT_MINIMAL_ERROR", "Crypto amount 1 is less than minimal", AmountTooSmall),
        (400, "AMOUNT_MAXIMAL_ERROR", "too much", AmountTooLarge),
        (400, "CURRENCY_UNAVAILABLE", "off", CoinUnavailable),
        (400, "BAD_REQUEST", "Currency luna is not convertable to usdttrc20 now", CoinUnavailable),
        (400, "BAD_REQUEST", "something else", ProviderRefused),
        (404, "NOT_FOUND", "Payment not found", PaymentUnknown),
    ],
)
async def test_refusals_have_names(
    wire: Any, client: NowPayments, status: int, code: str, message: str, kind: type
) -> None:
    said = f'{{"status":false,"statusCode":{status},"code":"{code}","message":"{message}"}}'
    wire.on("GET /v1/payment/1", said, status)
    with pytest.raises(ProviderRefused) as refused:
        await client.payment("1")
    assert type(refused.value) is kind
    assert (refused.value.code, refused.value.detail) == (code, message)


async def test_health_is_their_word_for_being_up(wire: Any, client: NowPayments) -> None:
    wire.on("GET /v1/status", '{"message":"OK"}')
    assert await client.health() is None
