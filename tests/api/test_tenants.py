"""Tenants and modes are apart: another's ids are answered exactly as unknown ones, and nothing changes."""

import re
from typing import Any

import pytest

from app.core import db
from app.core.ids import new_id
from app.web.api import router
from tests.api.conftest import Till, card
from tests.builders import rows

ROUTES = sorted((sorted(route.http_methods)[0], path) for route in router.ROUTES for path in route.paths)
NAMED = re.compile(r"\{(\w+):str\}")
BODIES: dict[str, Any] = {
    "/payments/{payment_id:str}/refunds": {"reason": "Returned goods"},
    "/webhooks/endpoints/{endpoint_id:str}": {"name": "mine now", "disabled": True},
    "/webhooks/endpoints/{endpoint_id:str}/retries": {"since": "2026-01-01T00:00:00Z"},
}
FILTERED = {"order_id", "payment_id", "refund_id", "endpoint_id", "object_id", "event_id"}
SEEN = ("api_key",)  # when a key was last used


@pytest.fixture
async def ids(till: Till, drain: Any) -> dict[str, str]:
    """One of each thing a merchant can have, by the name of the parameter that names it."""
    endpoint = (await till.post("/webhooks/endpoints", {"url": "https://shop.example.com/hooks"})).json()
    payment = await till.payment()
    await drain(later=True)
    refund = (await till.post(f"/payments/{payment['id']}/refunds", {"amount": "10", "reason": "x"})).json()
    await drain(only="webhooks.publish")
    delivery = (await till.get("/webhooks/deliveries")).json()["data"][0]
    await db.fetch("UPDATE delivery SET status = 'failed', next_at = NULL WHERE id = $1", delivery["id"])
    event = (await till.get("/events")).json()["data"][0]
    return {
        "order_id": payment["order_id"], "payment_id": payment["id"], "refund_id": refund["id"],
        "endpoint_id": endpoint["id"], "delivery_id": delivery["id"], "event_id": event["id"],
        "object_id": payment["id"],
    }  # fmt: skip


@pytest.fixture
async def strangers(till: Till, tills: Any) -> list[Till]:
    """Another merchant in both modes, and the same merchant in the other mode."""
    other = await tills("Other")
    return [other, await tills(of=other.merchant_id, test=False), await tills(of=till.merchant_id, test=False)]


async def ask(till: Till, method: str, path: str, ids: dict[str, str]) -> tuple[int, bytes]:
    filled = NAMED.sub(lambda found: ids[found[1]], path)
    body = None if method in {"GET", "DELETE"} else BODIES.get(path, {})
    answer = await till.http.request(method, filled, json=body)
    return answer.status_code, answer.content


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if NAMED.search(route[1])])
async def test_a_route_answers_a_strangers_id_as_an_unknown_one(till, strangers, ids, method: str, path: str) -> None:
    unknown = dict.fromkeys(ids, str(new_id()))
    before = await rows(but=SEEN)
    for stranger in strangers:
        denied, missing = await ask(stranger, method, path, ids), await ask(stranger, method, path, unknown)
        malformed = await ask(stranger, method, path, dict.fromkeys(ids, "nonsense"))
        assert denied == missing == malformed
        assert denied[0] == 404
    assert await rows(but=SEEN) == before
    # The owner is let in: the ids are good.
    assert (await ask(till, method, path, ids))[0] != 404


EVERYBODYS = {"/currencies", "/coins"}  # what is offered belongs to nobody


@pytest.mark.parametrize("path", sorted(EVERYBODYS))
async def test_what_is_offered_is_the_same_for_every_merchant_in_test_and_live(till, strangers, path: str) -> None:
    own = await till.get(path)
    assert own.json()["data"]
    for stranger in strangers:
        assert (await stranger.get(path)).content == own.content


@pytest.mark.parametrize(
    "path", [path for method, path in ROUTES if method == "GET" and not NAMED.search(path) and path not in EVERYBODYS]
)
async def test_a_list_shows_a_stranger_nothing_whatever_it_is_filtered_by(till, strangers, ids, path: str) -> None:
    own = (await till.get(path)).json()["data"]
    assert own
    for stranger in strangers:
        assert (await stranger.get(path)).json()["data"] == []
        for name in FILTERED:
            by_id = await stranger.get(path, **{name: ids[name]})
            unknown = await stranger.get(path, **{name: str(new_id())})
            assert (by_id.status_code, by_id.content) == (unknown.status_code, unknown.content)


async def test_a_cursor_of_anothers_list_leads_nowhere(till, strangers) -> None:
    for _ in range(3):
        await till.order()
    cursor = (await till.get("/orders", limit=1)).json()["next"]
    assert cursor
    for stranger in strangers:
        assert (await stranger.get("/orders", after=cursor)).json()["data"] == []


async def test_a_payment_of_a_strangers_order_is_refused_as_of_an_unknown_one(strangers, ids) -> None:
    before = await rows(but=SEEN)
    for stranger in strangers:
        for method in ({"method": "card", "card": card()}, {"method": "crypto"}):
            said = [
                (answer.status_code, answer.content)
                for order_id in (ids["order_id"], str(new_id()))
                for answer in [await stranger.post("/payments", {"order_id": order_id, **method})]
            ]
            assert said[0] == said[1]
            assert said[0][0] == 404
    assert await rows(but=SEEN) == before


async def test_an_idempotency_key_of_another_opens_no_answer(till, strangers) -> None:
    body = {"amount": "5.00", "currency": "USD", "reference": "r"}
    first = await till.post("/orders", body, "shared")
    for stranger in strangers:
        answer = await stranger.post("/orders", body, "shared")
        assert answer.status_code == 201
        assert answer.json()["id"] != first.json()["id"]


def test_every_route_is_in_this_matrix() -> None:
    covered = {("POST", path) for path in ("/orders", "/payments", "/webhooks/endpoints")}
    assert {r for r in ROUTES if not NAMED.search(r[1]) and r[0] != "GET"} == covered
    assert len(ROUTES) == len(router.ROUTES) == 25
