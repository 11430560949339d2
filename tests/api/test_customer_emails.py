"""A merchant's ``customer_email``: no spelling of an address costs the order, and it is found by any."""

from typing import Any

import pytest

from app.core import db
from tests.api.conftest import Till


@pytest.mark.parametrize(
    ("given", "answered", "kept"),
    [
        ("info@xn--bcher-kva.de", "info@xn--bcher-kva.de", "info@xn--bcher-kva.de"),
        ("info@bücher.de", "info@bücher.de", "info@xn--bcher-kva.de"),
        ("ann@shop.io ", "ann@shop.io", "ann@shop.io"),
        ("\tann@shop.io\n", "ann@shop.io", "ann@shop.io"),
        ("\ufeffann@shop.io\u200b", "ann@shop.io", "ann@shop.io"),
        ("ann@example.com", "ann@example.com", "ann@example.com"),
        ("Käufer@müller.de", "käufer@müller.de", "käufer@müller.de"),
        ("   ", None, ""),
        ("", None, ""),
        (None, None, ""),
    ],
)
async def test_an_order_is_made_whatever_the_spelling(
    till: Till, given: str | None, answered: str | None, kept: str
) -> None:
    made = await till.order(customer_email=given)
    assert made["customer_email"] == answered
    assert await db.fetch_value("SELECT email FROM customer_order") == kept
    assert (await till.get(f"/orders/{made['id']}")).json()["customer_email"] == answered


@pytest.mark.parametrize("asked", ["info@bücher.de", "INFO@xn--bcher-kva.de ", "info@XN--BCHER-KVA.DE"])
@pytest.mark.parametrize("path", ["/orders", "/payments"])
async def test_a_list_is_filtered_by_any_spelling(till: Till, path: str, asked: str) -> None:
    order = await till.order(customer_email="info@bücher.de")
    body: dict[str, Any] = {"order_id": order["id"], "method": "upi", "upi": {"vpa": "ann@okbank"}}
    assert (await till.post("/payments", body)).status_code == 201
    await till.order(customer_email="other@shop.io")
    found = (await till.get(path, customer_email=asked)).json()["data"]
    assert [row.get("order_id", row["id"]) for row in found] == [order["id"]]


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        *(
            (text, 422, "bad_email")
            for text in ("nobody", "ann@", "@shop.io", "Ann <ann@shop.io>", "ann@shop.io,bob@shop.io")
        ),
        (5, 400, "malformed_body"),
    ],
)
async def test_what_is_no_address_at_all_is_still_refused(till: Till, given: object, status: int, code: str) -> None:
    body = {"amount": "1.00", "currency": "USD", "reference": "a", "customer_email": given}
    answer = await till.post("/orders", body)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (status, code, "customer_email")
    assert await db.fetch_value("SELECT count(*) FROM customer_order") == 0
