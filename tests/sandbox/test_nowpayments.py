"""NOWPayments' surface: what is text and what a number, and how it says no."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.sandbox.conftest import SHOP, Sandbox, Shop, parsed


async def test_ids_are_text_on_creation_and_numbers_after(sandbox: Sandbox) -> None:
    made = await sandbox.payment()
    seen = await sandbox.status(made["payment_id"])
    assert isinstance(made["payment_id"], str)
    assert isinstance(made["purchase_id"], str)
    assert seen["payment_id"] == int(made["payment_id"])
    assert seen["purchase_id"] == int(made["purchase_id"])
    assert made["pay_amount"] == Decimal("0.00026042")
    assert (seen["burning_percent"], seen["actually_paid"], seen["invoice_id"]) == ("null", 0, None)
    assert (made["payment_status"], made["smart_contract"], made["order_id"]) == ("waiting", "", "o-1")


async def test_an_invoice_has_a_text_id_a_text_price_and_a_page(sandbox: Sandbox) -> None:
    asked = {"price_amount": 1000, "price_currency": "usd", "order_id": "o-1"}
    invoice = parsed(await sandbox.now.post("/invoice", json=asked))
    assert isinstance(invoice["id"], str)
    assert invoice["price_amount"] == "1000"
    assert invoice["invoice_url"].endswith(f":8010/sandbox/invoice/{invoice['id']}")
    paid = await sandbox.now.post("/invoice-payment", json={"iid": invoice["id"], "pay_currency": "ltc"})
    assert paid.status_code == 201
    seen = await sandbox.status(parsed(paid)["payment_id"])
    assert (seen["invoice_id"], seen["order_id"]) == (int(invoice["id"]), "o-1")


async def test_an_estimate_is_a_text_and_a_minimum_a_number(sandbox: Sandbox) -> None:
    asked = {"amount": "3999.5", "currency_from": "usd", "currency_to": "btc"}
    estimate = parsed(await sandbox.now.get("/estimate", params=asked))
    assert estimate["estimated_amount"] == "0.04166146"
    pair = {"currency_from": "USDTERC20", "currency_to": "trx", "fiat_equivalent": "usd"}
    least = parsed(await sandbox.now.get("/min-amount", params=pair))
    assert least == {"currency_from": "usdterc20", "currency_to": "trx", "min_amount": 8, "fiat_equivalent": 8}


async def test_euro_prices_are_converted(sandbox: Sandbox) -> None:
    made = await sandbox.payment(price_amount=10, price_currency="eur", pay_currency="usdttrc20")
    assert made["pay_amount"] == 11


async def test_coins_with_a_memo_name_one(sandbox: Sandbox) -> None:
    assert (await sandbox.payment(pay_currency="xrp"))["payin_extra_id"].isdigit()
    assert (await sandbox.payment(pay_currency="eth"))["payin_extra_id"] is None


async def test_codes_are_lower_case_here_and_upper_case_there(sandbox: Sandbox) -> None:
    codes = parsed(await sandbox.now.get("/currencies"))["currencies"]
    assert {"btc", "usdttrc20", "xrp"} <= set(codes)
    full = parsed(await sandbox.now.get("/full-currencies"))["currencies"]
    assert [it["code"] for it in full] == [code.upper() for code in codes]
    assert {type(it["network_precision"]) for it in full} == {str}
    assert "BTC" in parsed(await sandbox.now.get("/merchant/coins"))["selectedCurrencies"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price_amount": 1}, "AMOUNT_MINIMAL_ERROR"),
        ({"price_amount": 10**9}, "AMOUNT_MAXIMAL_ERROR"),
        ({"price_amount": "25"}, "INVALID_REQUEST_PARAMS"),
        ({"price_amount": -1}, "INVALID_REQUEST_PARAMS"),
        ({"pay_currency": "luna"}, "CURRENCY_UNAVAILABLE"),
        ({"surprise": 1}, "INVALID_REQUEST_PARAMS"),
        ({"case": "nonsense"}, "INVALID_REQUEST_PARAMS"),
        ({"ipn_callback_url": "http://192.0.2.7/ipn"}, "INVALID_REQUEST_PARAMS"),
        ({"ipn_callback_url": "http://127.0.0.1@shop.test/ipn"}, "INVALID_REQUEST_PARAMS"),
    ],
)
async def test_a_bad_request_makes_no_payment(sandbox: Sandbox, changes: dict[str, Any], code: str) -> None:
    asked = {"price_amount": 25, "price_currency": "usd", "pay_currency": "btc", "ipn_callback_url": SHOP} | changes
    answer = await sandbox.now.post("/payment", json=asked)
    body = parsed(answer)
    assert (answer.status_code, body["status"], body["statusCode"], body["code"]) == (400, False, 400, code)
    assert parsed(await sandbox.control.get("/payments")) == []


async def test_malformed_json_unknown_ids_and_wrong_keys_are_refused_in_its_words(sandbox: Sandbox) -> None:
    answer = await sandbox.now.post("/payment", content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, parsed(answer)["code"]) == (400, "INVALID_REQUEST_PARAMS")
    answer = await sandbox.now.get("/payment/999")
    assert (answer.status_code, parsed(answer)["code"]) == (404, "NOT_FOUND")
    answer = await sandbox.now.get("/currencies", headers={"x-api-key": "another"})
    assert (answer.status_code, parsed(answer)["message"]) == (403, "Invalid api key")
    assert (await sandbox.now.get("/status", headers={"x-api-key": ""})).status_code == 200


async def test_the_list_wants_a_login_and_can_be_paged(sandbox: Sandbox) -> None:
    for order in ("o-1", "o-2", "o-3"):
        await sandbox.payment(order_id=order)
    assert (await sandbox.now.get("/payment/")).status_code == 401
    token = parsed(await sandbox.now.post("/auth", json={"email": "a@b.co", "password": "x"}))["token"]
    bearer = {"Authorization": f"Bearer {token}"}
    page = parsed(await sandbox.now.get("/payment/?limit=2&page=1&orderBy=asc", headers=bearer))
    assert [it["order_id"] for it in page.pop("data")] == ["o-3"]
    assert page == {"limit": 2, "page": 1, "pagesCount": 2, "total": 3}
    assert (await sandbox.now.get("/payment/?orderBy=up", headers=bearer)).status_code == 500
    assert (await sandbox.now.get("/payment/", headers={"Authorization": f"Bearer {token}x"})).status_code == 401


async def test_the_sandbox_parameter_case_plays_by_itself(sandbox: Sandbox, shop: Shop) -> None:
    await sandbox.control.post("/settings", json={"caseDelay": 0})
    made = await sandbox.payment(case="partially_paid")
    await shop.hears(2)
    assert (await sandbox.status(made["payment_id"]))["payment_status"] == "partially_paid"


async def test_a_payment_expires_by_itself(sandbox: Sandbox, shop: Shop) -> None:
    await sandbox.control.post("/settings", json={"paymentLifetime": 0})
    made = await sandbox.payment()
    await shop.hears(1)
    assert shop.statuses == ["expired"]
    assert (await sandbox.status(made["payment_id"]))["payment_status"] == "expired"
