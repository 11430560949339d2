"""Strict bodies: each fault is named by its field, no value is quoted, and nothing is kept of what is refused."""

import json
from decimal import Decimal
from typing import Any

import pytest

from app.core import db
from app.core.money import Money
from app.orders.merchant_orders import MOST_METADATA
from tests.api.conftest import Till, card
from tests.api.test_every_endpoint import problem
from tests.builders import rows

ORDER = {"amount": "49.90", "currency": "USD", "reference": "cart-1042"}
WHY = {"reason": "x"}
ID = "01a1fd51-2443-71ea-874e-851178d10764"


@pytest.mark.parametrize(
    ("amount", "kept"),
    [
        ("49.90", "49.90"), ("0.01", "0.01"), ("7", "7.00"), ("7.5", "7.50"), ("1000000", "1000000.00"),
    ],
)  # fmt: skip
async def test_money_is_a_decimal_string_and_stays_exact(till: Till, amount: str, kept: str) -> None:
    assert (await till.order(amount))["amount"] == kept


@pytest.mark.parametrize("amount", [50000, 7.5, 0, -1, 49.99, 1e2, 10**30, 0.0])
async def test_a_bare_number_is_refused_by_a_sentence_that_says_both_ways(till: Till, amount: Any) -> None:
    """50000 could be fifty thousand or five hundred dollars."""
    before = await rows(but=["api_key"])
    said = problem(await till.post("/orders", ORDER | {"amount": amount}), 400, "malformed_body", "amount")
    assert 'a decimal string in major units, such as "49.90"' in said["detail"]
    assert "amount_minor, a whole number of the smallest unit, such as 4990" in said["detail"]
    assert await rows(but=["api_key"]) == before


@pytest.mark.parametrize(
    ("currency", "asked", "kept"),
    [
        ("USD", {"amount_minor": 4990}, "49.90"), ("USD", {"amount_minor": 1}, "0.01"),
        ("JPY", {"amount": "500"}, "500"), ("INR", {"amount": "5"}, "5.00"),
        ("JPY", {"amount_minor": 500}, "500"), ("JPY", {"amount": "100000000"}, "100000000"),
        ("KWD", {"amount": "1.250"}, "1.250"), ("KWD", {"amount": "1.25"}, "1.250"),
        ("KWD", {"amount_minor": 1250}, "1.250"), ("KWD", {"amount": "0.001"}, "0.001"),
        ("EUR", {"amount_minor": 4990}, "49.90"), ("GBP", {"amount": "0.99"}, "0.99"),
    ],
)  # fmt: skip
async def test_an_amount_has_the_decimals_of_its_currency(till: Till, currency: str, asked: dict, kept: str) -> None:
    made = await till.post("/orders", {"currency": currency, "reference": "r", **asked})
    assert (made.status_code, made.json()["amount"], made.json()["currency"]) == (201, kept, currency), made.text
    assert (await till.get(f"/orders/{made.json()['id']}")).json()["amount"] == kept


@pytest.mark.parametrize(
    ("currency", "asked", "field", "says"),
    [
        ("KWD", {"amount": "1.2345"}, "amount", "decimal string"),
        ("USD", {"amount": "1.00", "amount_minor": 100}, "amount_minor", "not both"),
        ("USD", {}, "amount", "amount_minor"), ("USD", {"amount_minor": "100"}, "amount_minor", "a whole number"),
        ("USD", {"amount_minor": 0}, "amount_minor", "at least 1"),
    ],
)  # fmt: skip
async def test_an_amount_that_is_no_one_amount_is_refused(
    till: Till, currency: str, asked: dict, field: str, says: str
) -> None:
    before = await rows(but=["api_key"])
    answer = await till.post("/orders", {"currency": currency, "reference": "r", **asked})
    assert says in problem(answer, 400, "malformed_body", field)["detail"]
    assert await rows(but=["api_key"]) == before


@pytest.mark.parametrize(
    ("currency", "amount", "says"),
    [
        ("JPY", "500.00", "JPY has no decimals"), ("JPY", "0.5", "JPY has no decimals"),
        ("USD", "1.999", "USD has 2 decimals at most"), ("USD", "1.990", "USD has 2 decimals at most"),
    ],
)  # fmt: skip
async def test_an_amount_finer_than_its_currency_is_refused(till: Till, currency: str, amount: str, says: str) -> None:
    before = await rows(but=["api_key"])
    answer = await till.post("/orders", {"currency": currency, "reference": "r", "amount": amount})
    assert says in problem(answer, 422, "bad_charge", "amount")["detail"]
    assert await rows(but=["api_key"]) == before


@pytest.mark.parametrize(("currency", "amount"), [("USD", "1000000.01"), ("JPY", "100000001"), ("KWD", "1000000.001")])
async def test_more_than_an_order_may_ask_for_is_refused(till: Till, currency: str, amount: str) -> None:
    before = await rows(but=["api_key"])
    answer = await till.post("/orders", {"currency": currency, "reference": "r", "amount": amount})
    problem(answer, 422, "bad_charge", "amount")
    assert await rows(but=["api_key"]) == before


@pytest.mark.parametrize(("currency", "amount", "half"), [("JPY", "501", "250"), ("KWD", "1.250", "0.625")])
async def test_yen_and_dinars_are_paid_and_given_back_to_the_last_unit(
    till: Till, drain, currency: str, amount: str, half: str
) -> None:
    order = await till.order(amount, currency=currency)
    made = await till.post("/payments", {"order_id": order["id"], "method": "card", "card": card()})
    await drain(later=True)
    paid = (await till.get(f"/payments/{made.json()['id']}")).json()
    assert (paid["status"], paid["captured"], paid["refunded"]) == (
        "success",
        amount,
        Money(Decimal(0), currency).digits,
    )
    refund = await till.post(f"/payments/{paid['id']}/refunds", {"amount": half} | WHY)
    assert (refund.status_code, refund.json()["amount"]) == (201, half), refund.text
    finer = await till.post(
        f"/payments/{paid['id']}/refunds", {"amount": "1.5" if currency == "JPY" else "0.0001"} | WHY
    )
    assert (finer.status_code, finer.json()["field"]) == (422 if currency == "JPY" else 400, "amount")
    await drain(later=True)
    rest = await till.post(f"/payments/{paid['id']}/refunds", {"reason": "the rest"})
    assert Decimal(rest.json()["amount"]) == Decimal(amount) - Decimal(half)
    await drain(later=True)
    back = (await till.get(f"/payments/{paid['id']}")).json()
    assert (back["status"], back["refunded"]) == ("refunded", amount)
    assert await db.fetch_value("SELECT sum(amount) FROM ledger_entry") == 0


@pytest.mark.parametrize(
    "amount",
    [
        "0", "0.00", "-1", "+1", "1.9999", 1.999, 0.001, 1e300, "1e2", "1_0", " 1",
        "1 ", "", "１", "NaN", "Infinity", "1,00", "01", ".5", "5.", True, None, [], {}, ["5"], "1\n",
    ],
)  # fmt: skip
async def test_what_is_no_amount_of_money_is_refused(till: Till, amount: Any) -> None:
    before = await rows(but=["api_key"])
    answer = await till.http.post(
        "/orders", content=json.dumps(ORDER | {"amount": amount}), headers={"content-type": "application/json"}
    )
    problem(answer, 400, "malformed_body", "amount")
    assert await rows(but=["api_key"]) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "usd"}, "currency"), ({"currency": "XAU"}, "currency"), ({"currency": 5}, "currency"),
        ({"reference": ""}, "reference"), ({"reference": "x" * 129}, "reference"), ({"reference": "a\x00"}, None),
        ({"reference": "a\nb"}, "reference"), ({"reference": None}, "reference"), ({"reference": "\ud800"}, None),
        ({"customer_email": "x" * 250 + "@a.bc"}, "customer_email"),
        ({"customer_email": "ann@a\x01.de"}, "customer_email"),
        ({"metadata": {str(n): "" for n in range(51)}}, "metadata"), ({"metadata": {"a": "x" * 501}}, "metadata[...]"),
        ({"metadata": {"a": 1}}, "metadata[...]"), ({"metadata": {"": "a"}}, "metadata"),
        ({"metadata": {"a": {"b": "c"}}}, "metadata[...]"), ({"metadata": []}, "metadata"), ({"extra": 1}, "extra"),
        ({"merchant_id": ID}, "merchant_id"), ({"test": False}, "test"), ({"status": "paid"}, "status"),
    ],
)  # fmt: skip
async def test_an_order_names_the_field_that_is_wrong(till: Till, change: dict[str, Any], field: str | None) -> None:
    before = await rows(but=["api_key"])
    answer = await till.http.post(
        "/orders", content=json.dumps(ORDER | change), headers={"content-type": "application/json"}
    )
    problem(answer, 400, "malformed_body", field)
    assert await rows(but=["api_key"]) == before


@pytest.mark.parametrize("email", ["nobody", "ann@localhost", "ann@", "@example.com", "a b@example.com"])
async def test_what_is_no_email_address_is_answered_with_what_one_looks_like(till: Till, email: str) -> None:
    before = await rows(but=["api_key"])
    answer = await till.post("/orders", ORDER | {"customer_email": email})
    assert "like name@example.com" in problem(answer, 422, "bad_email", "customer_email")["detail"]
    assert await rows(but=["api_key"]) == before


@pytest.mark.parametrize("name", ORDER)
async def test_what_is_missing_is_named(till: Till, name: str) -> None:
    problem(await till.post("/orders", {n: v for n, v in ORDER.items() if n != name}), 400, "malformed_body", name)


async def test_an_orders_own_words_come_back_as_they_were(till: Till) -> None:
    words = {"reference": "r" * 128, "metadata": {f"k{n}": "é" * 500 for n in range(MOST_METADATA)}}
    made = await till.order(**words)
    shown = (await till.get(f"/orders/{made['id']}")).json()
    assert {name: shown[name] for name in words} == words
    assert MOST_METADATA == 50


@pytest.mark.parametrize(
    ("change", "status", "code", "field"),
    [
        ({"number": "4242424242424241"}, 422, "bad_card", "card.number"),
        ({"number": "4242"}, 400, "malformed_body", "card.number"),
        ({"number": 4242424242424242}, 400, "malformed_body", "card.number"),
        ({"number": ["4242424242424242"]}, 400, "malformed_body", "card.number"),
        ({"number": "9999999999999995"}, 422, "bad_card", "card.number"),
        ({"expiry": "13/34"}, 422, "bad_card", "card.expiry"), ({"expiry": "01/20"}, 422, "bad_card", "card.expiry"),
        ({"cvv": "12"}, 400, "malformed_body", "card.cvv"), ({"cvv": "12a"}, 422, "bad_card", "card.cvv"),
        ({"4242424242424242": "x"}, 400, "malformed_body", "card"),
        ({"n4242424242424242": "x"}, 400, "malformed_body", "card"), ({"pin": "1"}, 400, "malformed_body", "card.pin"),
    ],
)  # fmt: skip
async def test_a_bad_card_is_told_by_its_field_and_quoted_nowhere(
    till: Till, capfd, change: dict[str, Any], status: int, code: str, field: str
) -> None:
    order = await till.order()
    before = await rows(but=["api_key", "idempotency_record"])
    body = {"order_id": order["id"], "method": "card", "card": card() | change}
    answer = await till.post("/payments", body, "a key")
    assert answer.status_code == 400
    answer = await till.post("/payments", body, "a-key")
    problem(answer, status, code, field)
    told = answer.text + "".join(capfd.readouterr()) + str(await rows())
    for secret in ("4242424242424242", "4242424242424241", "9999999999999995"):
        assert secret not in told
    assert await rows(but=["api_key", "idempotency_record"]) == before


@pytest.mark.parametrize("body", [{"vpa": "user@paytm"}, {"upi": {"vpa": "user@paytm"}}])
async def test_a_vpa_may_stand_beside_the_method_or_below_upi(till: Till, body: dict[str, Any]) -> None:
    order = await till.order()
    made = await till.post("/payments", {"order_id": order["id"], "method": "upi", **body})
    assert (made.status_code, made.json()["details"]) == (201, {"vpa": "user@paytm"}), made.text


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({}, 400, "malformed_body", "vpa"), ({"vpa": None}, 400, "malformed_body", "vpa"),
        ({"vpa": "a@b", "upi": {"vpa": "c@d"}}, 400, "malformed_body", "vpa"),
        ({"vpa": "no vpa"}, 422, "bad_vpa", "vpa"), ({"upi": {"vpa": "no vpa"}}, 422, "bad_vpa", "upi.vpa"),
        ({"upi": {}}, 400, "malformed_body", "upi.vpa"),
    ],
)  # fmt: skip
async def test_a_vpa_that_is_none_is_named_where_it_was_sent(
    till: Till, body: dict[str, Any], status: int, code: str, field: str
) -> None:
    order = await till.order()
    before = await rows(but=["api_key"])
    problem(await till.post("/payments", {"order_id": order["id"], "method": "upi", **body}), status, code, field)
    assert await rows(but=["api_key"]) == before


async def test_a_method_that_is_none_is_refused_without_repeating_it(till: Till) -> None:
    order = await till.order()
    for method in ("4242424242424242", "cash", 5, None):
        answer = await till.post("/payments", {"order_id": order["id"], "method": method})
        problem(answer, 400, "malformed_body", "method")
        assert "4242424242424242" not in answer.text


async def test_a_good_cards_number_and_cvv_stay_nowhere(till: Till, drain, capfd) -> None:
    payment = await till.payment("378282246310005")
    assert payment["details"] == {"last4": "0005", "network": "amex"}
    await drain(later=True)
    kept = str(await rows()) + "".join(capfd.readouterr()) + (await till.get("/events")).text
    assert "378282246310005" not in kept
    assert "37828224" not in kept


@pytest.mark.parametrize(
    "body",
    [
        {"method": "upi", "upi": {"vpa": "success@test"}}, {"method": "card", "card": card()},
    ],
)  # fmt: skip
async def test_with_a_live_key_only_crypto_is_taken(tills, body: dict[str, Any]) -> None:
    live = await tills(test=False)
    order = await live.order()
    problem(await live.post("/payments", {"order_id": order["id"], **body}), 422, "method_not_offered", "method")


async def test_members_of_another_method_are_refused(till: Till) -> None:
    order = await till.order()
    body = {"order_id": order["id"], "method": "upi", "upi": {"vpa": "success@test"}, "card": card()}
    problem(await till.post("/payments", body), 400, "malformed_body", "card")


@pytest.mark.parametrize("order_id", ["", "x", 5, None, "{}", ID + "0"])
async def test_an_order_id_is_a_uuid(till: Till, order_id: Any) -> None:
    answer = await till.post("/payments", {"order_id": order_id, "method": "crypto"})
    problem(answer, 400, "malformed_body", "order_id")


@pytest.mark.parametrize("path", ["/orders", "/payments", "/refunds", "/webhooks/deliveries"])
@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("limit=", "limit"),
        ("limit=1&limit=2", "limit"), ("limit=%D9%A1", "limit"), ("after=x", "after"), ("after=", "after"),
        ("after=AAAAAAAAAAAAAAAAAAAAA%00", "after"),
        ("after=AAAAAAAAAAAAAAAAAAAA%C3%A9%C3%A9", "after"), ("status=nonsense", "status"), ("offset=5", "offset"),
        ("created_from=yesterday", "created_from"), ("created_from=2026-11-21T08:30:00", "created_from"),
        ("created_to=2026-13-21T08:30:00Z", "created_to"), ("order_id=x", "order_id"), ("a%00b=1", None),
    ],
)  # fmt: skip
async def test_a_bad_parameter_is_named(till: Till, path: str, query: str, field: str | None) -> None:
    if path == "/orders" and field == "order_id":
        pytest.skip("its lists know no such filter")
    problem(await till.http.get(f"{path}?{query}"), 400, "bad_parameter", field)


@pytest.mark.parametrize("after", ["x", "-1", "1.5", "", "9" * 19, "9" * 30])
async def test_the_feeds_cursor_is_a_number(till: Till, after: str) -> None:
    problem(await till.get("/events", after=after), 400, "bad_parameter", "after")


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1969-01-01T00:00:00Z"])
async def test_times_far_away_are_taken(till: Till, when: str) -> None:
    await till.order()
    early = when < "2026"
    assert len((await till.get("/orders", created_from=when)).json()["data"]) == early
    assert len((await till.get("/orders", created_to=when)).json()["data"]) == (not early)


async def test_an_unknown_field_is_named_beside_those_that_the_request_takes(till: Till) -> None:
    before = await rows(but=["api_key"])
    said = problem(await till.post("/payments", {"orderId": ID, "method": "upi"}), 400, "malformed_body", "orderId")
    assert said["detail"].startswith('Unknown field "orderId". This request takes order_id, method, ')
    said = problem(await till.post("/orders", ORDER | {"Amount": "1"}), 400, "malformed_body", "Amount")
    assert said["detail"].startswith('Unknown field "Amount". This request takes currency, reference, amount, ')
    assert await rows(but=["api_key"]) == before
