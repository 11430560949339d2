"""No body, whatever is in it, makes a provider fail in an unnamed way."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dev.sandbox.kinguin.products import CATALOGUE
from tests.sandbox.conftest import Sandbox

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
ANY = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))


def bodies(valid: dict[str, Any]) -> st.SearchStrategy[Any]:
    """A valid body with some of its members replaced by anything, or no such body at all."""
    return ANY | st.fixed_dictionaries({name: st.just(value) | ANY for name, value in valid.items()})


PAYMENT = bodies(
    {"price_amount": 25, "price_currency": "usd", "pay_currency": "btc", "order_id": "o", "case": "common"}
)
ROW = bodies({"productId": CATALOGUE[0].product_id, "qty": 1, "price": 99, "keyType": "text", "offerId": None})
ORDER = ANY | st.fixed_dictionaries({"products": st.lists(ROW, max_size=3), "orderExternalId": st.just("r-1") | ANY})
MAIL = bodies({"from": "a@b.co", "to": "c@d.co", "subject": "s", "text": "t", "tags": [], "headers": {}, "html": None})
PAY = bodies({"fraction": "1.0", "case": "success"})
PRODUCT = bodies({"stock": 1, "price": 1, "mode": "normal", "partial": None})
FAULT = bodies({"provider": "kinguin", "mode": "search_lag", "rate": 1, "count": 1, "seconds": 0, "path": None})


@pytest.mark.parametrize(
    ("door", "path", "body"),
    [
        ("now", "/payment", PAYMENT),
        ("now", "/invoice", PAYMENT),
        ("now", "/invoice-payment", PAYMENT),
        ("now", "/auth", ANY),
        ("kinguin", "/v2/order", ORDER),
        ("kinguin", "/v1/order", ORDER),
        ("resend", "/emails", MAIL),
        ("resend", "/emails/batch", st.lists(MAIL, max_size=3)),
        ("control", "/payments/{payment}/pay", PAY),
        ("control", f"/products/{CATALOGUE[1].product_id}", PRODUCT),
        ("control", "/faults", FAULT),
        ("control", "/settings", ANY),
    ],
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(data=st.data())
async def test_any_body_gets_a_named_answer(sandbox: Sandbox, door: str, path: str, body: Any, data: Any) -> None:
    if "{payment}" in path:
        path = path.format(payment=(await sandbox.payment())["payment_id"])
    content = data.draw(body)
    headers = {"content-type": "application/json"} | ({"Idempotency-Key": "k"} if data.draw(st.booleans()) else {})
    answer = await getattr(sandbox, door).post(path, content=json.dumps(content), headers=headers)
    assert answer.status_code < 500, answer.text
    json.loads(answer.content)
