"""A body that can't be used is refused in plain words: what was expected, in which field, and nothing changes."""

from typing import Any

import pytest

from tests.api.conftest import Till, card
from tests.builders import rows

ORDER = {"amount": "5.00", "currency": "USD", "reference": "r"}
ID = "01a1fd51-2443-71ea-874e-851178d10764"
UNTOUCHED = ("api_key",)  # when it was last used


MALFORMED, UNUSABLE = (400, "malformed_body"), (422, "unusable_value")


async def refused(till: Till, path: str, body: Any, field: str | None, as_: tuple[int, str] = MALFORMED) -> str:
    """What a refusal said, with the status and the code ``as_``; nothing was changed by it."""
    before = await rows(but=UNTOUCHED)
    answer = await till.http.post(path, content=body) if isinstance(body, bytes) else await till.post(path, body)
    said = answer.json()
    assert (answer.status_code, said["code"], said.get("field")) == (*as_, field), answer.text
    assert await rows(but=UNTOUCHED) == before
    return str(said["detail"])


@pytest.mark.parametrize(
    ("path", "body", "field", "detail"),
    [
        ("/orders", ORDER | {"reference": 7}, "reference", "Send a string, not a whole number."),
        ("/orders", ORDER | {"reference": None}, "reference", "Send a string, not null."),
        ("/orders", ORDER | {"reference": ""}, "reference", "Send at least 1 character."),
        ("/orders", ORDER | {"customer_email": True}, "customer_email", "Send a string or null, not true or false."),
        ("/orders", ORDER | {"metadata": []}, "metadata", "Send an object, not a list."),
        ("/orders", [], None, "Send an object, not a list."),
        ("/payments", {"order_id": 7, "method": "crypto"}, "order_id", "Send a UUID, as a string, not a whole number."),
        ("/webhooks/endpoints", {"url": "https://shop.example.com/", "types": "order.paid"}, "types",
         "Send a list, not a string."),
    ],
)  # fmt: skip
async def test_a_wrong_type_is_named_in_words(till: Till, path: str, body: Any, field: str, detail: str) -> None:
    assert await refused(till, path, body, field) == detail


async def test_numbers_out_of_bounds_and_of_another_kind_are_named_in_words(till: Till) -> None:
    endpoint = (await till.post("/webhooks/endpoints", {"url": "https://shop.example.com/hooks"})).json()
    path = f"/webhooks/endpoints/{endpoint['id']}/rotate"
    assert await refused(till, path, {"overlap": -1}, "overlap") == "Send a whole number of at least 0."
    assert await refused(till, path, {"overlap": 9_000_000}, "overlap") == "Send a whole number of at most 604800."
    assert await refused(till, path, {"overlap": "1"}, "overlap") == "Send a whole number, not a string."


@pytest.mark.parametrize("number", [b"24.00", b"24.0", b"2.4e1", b"24.5", b"1.5"])
async def test_minor_units_with_a_decimal_point_are_refused_since_they_may_be_meant_in_major_ones(
    till: Till, number: bytes
) -> None:
    body = b'{"amount_minor": ' + number + b', "currency": "USD", "reference": "r"}'
    till.http.headers["content-type"] = "application/json"
    said = await refused(till, "/orders", body, "amount_minor", UNUSABLE)
    assert said.startswith("Send amount_minor as a whole number of the currency's smallest unit, without a decimal")
    assert 'send amount as a string, such as "49.90"' in said


@pytest.mark.parametrize(
    ("method", "names"),
    [
        ("card", "order_id, method, card, metadata"),
        ("upi", "order_id, method, upi, vpa, metadata"),
        ("crypto", "order_id, method, crypto, metadata"),
    ],
)
async def test_an_unknown_field_lists_those_of_that_method_alone(till: Till, method: str, names: str) -> None:
    body = {"order_id": ID, "method": method, "card": card(), "vpa": "a@b", "more": 1}
    own = {name: value for name, value in body.items() if name in {*names.split(", "), "more"}}
    assert await refused(till, "/payments", own, "more") == f'Unknown field "more". This request takes {names}.'


@pytest.mark.parametrize("until", ["2026-11-20T00:00:00Z", "2026-11-21T08:00:00Z"])
async def test_a_time_that_ends_before_it_begins_is_refused(till: Till, until: str) -> None:
    endpoint = (await till.post("/webhooks/endpoints", {"url": "https://shop.example.com/hooks"})).json()
    path, body = f"/webhooks/endpoints/{endpoint['id']}/retries", {"since": "2026-11-21T08:00:00Z", "until": until}
    assert await refused(till, path, body, "until", UNUSABLE) == "Send an until that is later than since."
    assert (await till.post(path, body | {"until": "2026-11-21T08:00:01Z"})).status_code == 202


async def test_a_blank_reason_of_a_refund_is_none(till: Till, drain: Any) -> None:
    payment = await till.payment()
    await drain(later=True)
    made = await till.post(f"/payments/{payment['id']}/refunds", {"amount": "1.00", "reason": "   "})
    assert (made.status_code, made.json()["reason"]) == (201, None)
    assert (await till.get(f"/refunds/{made.json()['id']}")).json()["reason"] is None
