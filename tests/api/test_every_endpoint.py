"""Keys, scopes, limits and errors: what every door of the API does alike."""

import asyncio
from typing import Any

import httpx
import pytest

from app.core import db, rate_limit
from app.core.settings import settings
from app.merchants import api_keys
from app.web.api import router
from tests.api.conftest import Till
from tests.api.test_tenants import NAMED, ROUTES
from tests.builders import rows
from tests.web.builders import picture

ANY_ID = "01a1fd51-2443-71ea-874e-851178d10764"
BODY = {"amount": "5.00", "currency": "USD", "reference": "r"}


def problem(answer: httpx.Response, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    said: dict[str, Any] = answer.json()
    assert (answer.status_code, said["code"], said.get("field")) == (status, code, field), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said["type"] == f"{settings().frontend_url}/docs/errors/{code}"
    assert said["status"] == status
    assert said["title"]
    assert said["detail"]
    assert answer.headers["x-request-id"]
    return said


async def every_route(http: httpx.AsyncClient, **headers: str) -> list[httpx.Response]:
    return [
        await http.request(
            method, NAMED.sub(ANY_ID, path), headers=headers, json=None if method in {"GET", "DELETE"} else {}
        )
        for method, path in ROUTES
    ]


async def test_without_a_good_key_every_route_is_closed_and_nothing_changes(till: Till, tills) -> None:
    other = await tills("Other")
    before = await picture(but=("api_key",))
    for key, secret, code in [
        (till.key.key, "", "api_key_missing"), ("", till.key.secret, "api_key_missing"),
        (till.key.key, other.key.secret, "invalid_api_key"), ("bl_test_nothing", till.key.secret, "invalid_api_key"),
    ]:  # fmt: skip
        for answer in await every_route(till.http, **{"x-api-key": key, "x-api-secret": secret}):
            problem(answer, 401, code)
            assert answer.headers["www-authenticate"].startswith("ApiKey")
            assert "ratelimit" not in answer.headers
    assert await picture(but=("api_key",)) == before


async def test_a_key_opens_what_its_scopes_name_and_nothing_else(till: Till, tills) -> None:
    for scope in api_keys.SCOPES:
        only = await tills(of=till.merchant_id, scopes=[scope])
        for (method, path), answer in zip(ROUTES, await every_route(only.http), strict=True):
            resource = "refunds" if "refunds" in path else path.split("/")[1]
            resource = {"currencies": "orders", "coins": "payments"}.get(resource, resource)
            needed = f"{resource}:{'read' if method == 'GET' else 'write'}"
            if needed == scope:
                assert answer.status_code in {200, 400, 404}, (method, path)
            else:
                assert needed in problem(answer, 403, "scope_missing")["detail"]


async def test_a_revoked_key_is_refused_by_the_next_request(till: Till) -> None:
    assert (await till.get("/orders")).status_code == 200
    await api_keys.revoke(till.key.id, till.merchant_id)
    problem(await till.get("/orders"), 401, "invalid_api_key")


async def test_each_answer_tells_what_is_left_of_the_limit(till: Till) -> None:
    first, second = await till.get("/orders"), await till.get("/orders/unknown")
    most = settings().limit_api
    for answer in (first, second):
        assert answer.headers["ratelimit-policy"] == f'"key";q={most};w=60'
    left = [int(a.headers["ratelimit"].split(";")[1].removeprefix("r=")) for a in (first, second)]
    assert left[0] < most
    assert left[1] == left[0] - 1 or left[1] > left[0]  # a minute may have ended in between


async def test_a_key_that_is_used_too_often_waits_and_another_does_not(till: Till, tills, monkeypatch) -> None:
    other = await tills(of=till.merchant_id)
    monkeypatch.setattr(settings(), "limit_api", 5)
    answers = await asyncio.gather(*(till.get("/orders") for _ in range(11)))
    refused = [a for a in answers if a.status_code == 429]
    assert refused
    for answer in refused:
        problem(answer, 429, "rate_limited")
        assert answer.headers["ratelimit"].startswith('"key";r=0;t=')
        assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert (await other.get("/orders")).status_code == 200


async def test_guessing_keys_is_limited_by_address(till: Till, monkeypatch) -> None:
    monkeypatch.setattr(settings(), "limit_api", 5)
    monkeypatch.setattr(rate_limit, "_prefetched", {})  # what earlier tests drew for this address
    headers = {"x-api-key": "bl_test_guess", "x-api-secret": "bls_guess"}
    answers = [await till.http.get("/orders", headers=headers) for _ in range(11)]
    assert {a.status_code for a in answers} == {401, 429}


async def test_unknown_routes_and_methods_are_problems_too(till: Till) -> None:
    problem(await till.get("/nothing"), 404, "route_not_found")
    wrong = await till.http.put("/orders", json={})
    problem(wrong, 405, "method_not_allowed")
    assert {"GET", "POST"} <= set(wrong.headers["allow"].split(", "))


async def test_options_name_every_method_of_a_path(till: Till) -> None:
    for path in {path for _, path in ROUTES}:
        answer = await till.http.options(NAMED.sub(ANY_ID, path))
        methods = {method for route in router.ROUTES if path in route.paths for method in route.http_methods}
        assert set(answer.headers["allow"].split(", ")) == methods | {"OPTIONS"}


async def test_our_own_fault_says_so_and_nothing_more(till: Till) -> None:
    order = await till.order()
    await db.fetch("ALTER TABLE customer_order RENAME TO away")
    try:
        answer = await till.get(f"/orders/{order['id']}")
    finally:
        await db.fetch("ALTER TABLE away RENAME TO customer_order")
    said = problem(answer, 500, "internal_error")
    assert "away" not in str(said)


async def test_cookies_and_form_tokens_play_no_part(till: Till) -> None:
    till.http.cookies.set("bitloot_session", "anything")
    till.http.cookies.set("bitloot_orders", "anything")
    answer = await till.post("/orders", BODY)
    assert answer.status_code == 201
    assert "set-cookie" not in answer.headers
    assert "set-cookie" not in (await till.get("/orders")).headers
    assert "content-encoding" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/json", 400), (b"{", "application/json", 400), (b"[]", "application/json", 400),
        (b"null", "application/json", 400), (b'{"amount":NaN}', "application/json", 400),
        (b"\xff", "application/json", 400), (b"[" * 9999, "application/json", 400),
        (b"a=1", "application/x-www-form-urlencoded", 415), (b"{}", "text/plain", 415),
        (b'{"a":"' + b"x" * 70_000 + b'"}', "application/json", 413),
        (b'{"amount":"5","amount":"6","currency":"USD","reference":"r"}', "application/json", 400),
    ],
)  # fmt: skip
async def test_what_is_no_json_object_is_refused(till: Till, content: bytes, kind: str, status: int) -> None:
    before = await rows(but=["api_key"])
    answer = await till.http.post("/orders", content=content, headers={"content-type": kind, "idempotency-key": "k"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await rows(but=["api_key"]) == before
