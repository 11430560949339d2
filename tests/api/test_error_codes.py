"""Each code's status is said once: the API answers with it, its page shows it, the OpenAPI document names it."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from app.core.ids import new_id
from app.core.settings import settings
from app.merchants import api_keys
from app.web.api.error_codes import CATALOG, status_of
from tests.api.conftest import Till, card
from tests.api.test_description import content, operations
from tests.builders import rows

ORDER = {"amount": "49.90", "currency": "USD", "reference": "cart-1042"}
URL = {"url": "https://shop.example.com/hooks"}
Ask = Callable[[Till, Any], Awaitable[httpx.Response]]


async def pay(till: Till, **body: Any) -> httpx.Response:
    return await till.post("/payments", {"order_id": (await till.order())["id"], **body}, "a-key")


async def refund(till: Till, drain: Any, *, later: bool = True, **body: Any) -> httpx.Response:
    payment = await till.payment()
    if later:
        await drain(later=True)
    return await till.post(f"/payments/{payment['id']}/refunds", {"reason": "x", **body}, "a-key")


async def raw(till: Till, body: bytes, kind: str = "application/json", path: str = "/orders") -> httpx.Response:
    return await till.http.post(path, content=body, headers={"content-type": kind, "idempotency-key": "a-key"})


async def cancelled(till: Till) -> str:
    order = await till.order()
    assert (await till.post(f"/orders/{order['id']}/cancel")).status_code == 200
    return str(order["id"])


async def settled(till: Till, drain: Any) -> dict[str, Any]:
    payment = await till.payment()
    await drain(later=True)
    return payment


async def reused(till: Till, _: Any) -> httpx.Response:
    await till.post("/orders", ORDER, "a-key")
    return await till.post("/orders", ORDER | {"amount": "50"}, "a-key")


async def not_payable(till: Till, _: Any) -> httpx.Response:
    return await till.post("/payments", {"order_id": await cancelled(till), "method": "crypto"}, "a-key")


async def not_cancellable(till: Till, drain: Any) -> httpx.Response:
    return await till.post(f"/orders/{(await settled(till, drain))['order_id']}/cancel", {}, "a-key")


async def payment_not_cancellable(till: Till, drain: Any) -> httpx.Response:
    return await till.post(f"/payments/{(await settled(till, drain))['id']}/cancel", {}, "a-key")


async def many_endpoints(till: Till, _: Any) -> httpx.Response:
    for _n in range(20):
        assert (await till.post("/webhooks/endpoints", URL)).status_code == 201
    return await till.post("/webhooks/endpoints", URL, "a-key")


async def disabled(till: Till, _: Any) -> httpx.Response:
    made = (await till.post("/webhooks/endpoints", URL)).json()["id"]
    await till.http.patch(f"/webhooks/endpoints/{made}", json={"disabled": True})
    return await till.post(f"/webhooks/endpoints/{made}/test", {}, "a-key")


async def in_line(till: Till, drain: Any) -> httpx.Response:
    made = (await till.post("/webhooks/endpoints", URL)).json()["id"]
    await till.post(f"/webhooks/endpoints/{made}/test", {})
    delivery = (await till.get("/webhooks/deliveries")).json()["data"][0]["id"]
    return await till.post(f"/webhooks/deliveries/{delivery}/retry", {}, "a-key")


async def removed(till: Till, _: Any) -> httpx.Response:
    made = (await till.post("/webhooks/endpoints", URL)).json()["id"]
    await till.post(f"/webhooks/endpoints/{made}/test", {})
    delivery = (await till.get("/webhooks/deliveries")).json()["data"][0]["id"]
    await till.http.delete(f"/webhooks/endpoints/{made}")
    return await till.post(f"/webhooks/deliveries/{delivery}/retry", {}, "a-key")


async def many_rotations(till: Till, _: Any) -> httpx.Response:
    path = f"/webhooks/endpoints/{(await till.post('/webhooks/endpoints', URL)).json()['id']}/rotate"
    for _n in range(8):
        assert (await till.post(path)).status_code == 200
    return await till.post(path, {}, "a-key")


async def no_key(till: Till, _: Any) -> httpx.Response:
    return await till.post("/orders", ORDER, "a-key", **{"x-api-secret": ""})


async def wrong_secret(till: Till, _: Any) -> httpx.Response:
    return await till.post("/orders", ORDER, "a-key", **{"x-api-secret": "bls_nobody"})


async def live_card(till: Till, tills: Any) -> httpx.Response:
    return await pay(await tills(of=till.merchant_id, test=False), method="card", card=card())


async def scoped(till: Till, tills: Any) -> httpx.Response:
    return await (await tills(of=till.merchant_id, scopes=["orders:read"])).post("/orders", ORDER, "a-key")


REFUSED: dict[str, Ask] = {  # code → a request that is refused with it
    "api_key_missing": no_key,
    "invalid_api_key": wrong_secret,
    "malformed_body": lambda till, _: raw(till, b"{"),
    "unusable_value": lambda till, _: raw(till, b'{"amount_minor": 24.00, "currency": "USD", "reference": "r"}'),
    "unsupported_media_type": lambda till, _: raw(till, b"x", "text/plain"),
    "body_too_large": lambda till, _: raw(till, b'"' + b"x" * 70_000 + b'"'),
    "bad_parameter": lambda till, _: till.get("/orders", limit="0"),
    "route_not_found": lambda till, _: till.get("/nothing"),
    "method_not_allowed": lambda till, _: till.http.put("/orders"),
    "idempotency_key_unusable": lambda till, _: till.post("/orders", ORDER, "a b"),
    "idempotency_key_reused": reused,
    "bad_email": lambda till, _: till.post("/orders", ORDER | {"customer_email": "ann@localhost"}, "a-key"),
    "bad_charge": lambda till, _: till.post("/orders", ORDER | {"amount": "2000000"}, "a-key"),
    "no_such_order": lambda till, _: till.post("/payments", {"order_id": str(new_id()), "method": "crypto"}, "a-key"),
    "order_not_payable": not_payable,
    "order_not_cancellable": not_cancellable,
    "no_such_payment": lambda till, _: till.post(f"/payments/{new_id()}/refunds", {"reason": "x"}, "a-key"),
    "payment_not_cancellable": payment_not_cancellable,
    "coin_not_offered": lambda till, _: pay(till, method="crypto", crypto={"currency": "nocoin"}),
    "bad_card": lambda till, _: pay(till, method="card", card=card("4242424242424241")),
    "bad_vpa": lambda till, _: pay(till, method="upi", vpa="no vpa"),
    "bad_delay": lambda till, _: pay(till, method="crypto", metadata={"test_delay": "soon"}),
    "payment_not_captured": lambda till, drain: refund(till, drain, later=False),
    "too_much": lambda till, drain: refund(till, drain, amount="49.91"),
    "bad_address": lambda till, drain: refund(till, drain, address={"coin": "btc", "address": "no-address-at-all"}),
    "no_such_refund": lambda till, _: till.get(f"/refunds/{new_id()}"),
    "bad_endpoint": lambda till, _: till.post("/webhooks/endpoints", {"url": "https://10.0.0.1/"}, "a-key"),
    "too_many_endpoints": many_endpoints,
    "no_such_endpoint": lambda till, _: till.post(f"/webhooks/endpoints/{new_id()}/test", {}, "a-key"),
    "endpoint_disabled": disabled,
    "no_such_delivery": lambda till, _: till.post(f"/webhooks/deliveries/{new_id()}/retry", {}, "a-key"),
    "delivery_in_line": in_line,
    "delivery_undeliverable": removed,
    "too_many_secrets": many_rotations,
}
ELSEWHERE = {  # refused where no request of a test goes, or by more than one request: tested in the files named
    "bad_request", "internal_error", "unavailable",
    "rate_limited", "request_in_progress", "answer_unreadable",  # test_repeating
    "scope_missing", "method_not_offered",  # below
    "bad_amount", "bad_reason",  # the body's shape is narrower than the room's own check
    "unusable_text", "no_such_checkout", "checkout_over",  # of the checkout's frame
}  # fmt: skip


def test_each_code_has_a_request_that_is_refused_with_it() -> None:
    assert set(REFUSED) | ELSEWHERE == set(CATALOG)
    assert not set(REFUSED) & ELSEWHERE
    assert [code for code, told in CATALOG.items() if told.final and told.again] == []


@pytest.mark.parametrize("code", REFUSED)
async def test_the_api_its_page_and_the_document_say_the_same_status(
    till: Till,
    drain,
    browser_client,
    document,
    code: str,
) -> None:
    answer = await REFUSED[code](till, drain)
    said = answer.json()
    assert said["code"] == code, answer.text
    assert (answer.status_code, said["status"], said["title"]) == (
        CATALOG[code].status, CATALOG[code].status, CATALOG[code].title,
    )  # fmt: skip
    page = (await browser_client.get(f"/docs/errors/{code}")).text
    assert f'<p class="problem-status">{answer.status_code} · {code}</p>' in page
    path = answer.request.url.path.removeprefix("/api/v1")
    for (method, pattern), operation in operations(document).items():
        parts = [part if "{" not in part else None for part in pattern.split("/")]
        given = path.split("/")
        fits = len(parts) == len(given) and all(a in {None, b} for a, b in zip(parts, given, strict=True))
        if fits and method == answer.request.method.lower():
            described = content(operation["responses"][str(answer.status_code)])
            assert code in described["schema"]["properties"]["code"]["enum"]
            assert described["examples"][code]["value"]["status"] == answer.status_code


async def test_the_codes_that_need_another_key_say_the_same(till: Till, tills) -> None:
    for ask, code in ((scoped, "scope_missing"), (live_card, "method_not_offered")):
        answer = await ask(till, tills)
        assert (answer.status_code, answer.json()["code"]) == (CATALOG[code].status, code)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("bad_card", 422), ("bad_vpa", 422), ("bad_endpoint", 422), ("bad_charge", 422), ("bad_address", 422),
        ("coin_not_offered", 422), ("method_not_offered", 422), ("malformed_body", 400), ("bad_parameter", 400),
        ("payment_not_captured", 409), ("too_much", 409), ("order_not_payable", 409), ("idempotency_key_reused", 422),
    ],
)  # fmt: skip
async def test_the_page_of_a_code_shows_its_status(browser_client, code: str, status: int) -> None:
    assert f"{status} · {code}" in (await browser_client.get(f"/docs/errors/{code}")).text


FINAL = {
    "bad_charge", "bad_email", "bad_amount", "no_such_order", "no_such_payment", "method_not_offered", "bad_card",
    "bad_vpa", "bad_delay", "bad_reason", "bad_address", "no_such_refund", "bad_endpoint", "no_such_endpoint",
    "no_such_delivery",
}  # fmt: skip


def test_what_is_final_is_what_no_later_state_can_allow() -> None:
    assert {code for code, told in CATALOG.items() if told.final} == FINAL


@pytest.mark.parametrize("code", [code for code in REFUSED if CATALOG[code].status in {404, 409, 422}])
async def test_only_a_final_refusal_is_kept_under_its_key(till: Till, drain, code: str) -> None:
    answer = await REFUSED[code](till, drain)
    assert answer.json()["code"] == code
    if answer.request.method != "POST":
        return
    again = await till.http.send(answer.request)
    assert again.json()["code"] == code
    assert ("idempotent-replayed" in again.headers) == (code in FINAL)
    kept = [row for row in (await rows())["idempotency_record"] if row]
    assert len(kept) == (1 if code in FINAL or code == "idempotency_key_reused" else 0)


async def test_a_refund_sent_too_early_works_by_the_same_key_once_the_money_is_there(till: Till, drain) -> None:
    payment = await till.payment()
    body, path = {"amount": "10.00", "reason": "Returned goods"}, f"/payments/{payment['id']}/refunds"
    early = await till.post(path, body, "refund-1")
    assert (early.status_code, early.json()["code"]) == (409, "payment_not_captured")
    assert "$0.00" not in early.text
    assert (await rows())["refund"] == (await rows())["idempotency_record"] == []
    await drain(later=True)
    made = await till.post(path, body, "refund-1")
    assert (made.status_code, made.json()["amount"]) == (201, "10.00"), made.text
    again = await till.post(path, body, "refund-1")
    assert (again.content, again.headers["idempotent-replayed"]) == (made.content, "true")
    assert len((await rows())["refund"]) == 1


async def test_a_refund_of_more_than_is_left_works_by_the_same_key_once_another_has_failed(till: Till, drain) -> None:
    payment = await till.payment()
    await drain(later=True)
    path = f"/payments/{payment['id']}/refunds"
    assert (await till.post(path, {"reason": "test:fail"})).status_code == 201
    body = {"amount": "49.90", "reason": "all of it"}
    refused = await till.post(path, body, "refund-2")
    assert (refused.status_code, refused.json()["code"]) == (409, "too_much")
    assert "All of this payment has been refunded" in refused.json()["detail"]
    await drain(later=True)
    assert (await till.post(path, body, "refund-2")).status_code == 201


def test_the_catalog_is_asked_for_every_refusal() -> None:
    """A class that is not in it would be answered by its own status: keep that for doors that are no API's."""
    assert status_of(api_keys.BadKey()) == api_keys.BadKey.status
    assert settings().frontend_url
