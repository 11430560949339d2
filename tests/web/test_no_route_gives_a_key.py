"""Every route of the app, knocked at by everybody whose order it is not: no answer holds a key in any spelling."""

import itertools
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from litestar.routes import HTTPRoute

from app.core import db
from tests.spellings import Search
from tests.web.builders import Bought, place, serials, session_of
from tests.web.builders import ready as make_ready
from tests.web.intruders import cookie

GIVES = {("POST", "/fulfillment/{order_id}/reveal")}
ENDLESS = {"/orders/{order_id}/events"}


@dataclass(frozen=True)
class Door:
    method: str
    path: str
    names: tuple[str, ...]


def doors(app: Any) -> list[Door]:
    """Each method of each route, with the names of the parts that are filled in."""
    found = []
    for route in app.routes:
        if isinstance(route, HTTPRoute) and not route.path.startswith("/static"):
            names = tuple(route.path_parameters)
            found += [
                Door(method, route.path_format, names) for method in sorted(set(route.methods) - {"OPTIONS", "HEAD"})
            ]
    return found


async def things(order: Bought) -> list[str]:
    """Everything about the order that has a name, and so could stand in an address."""
    sql = """SELECT id::text FROM sealed_key UNION ALL SELECT blob FROM sealed_key
             UNION ALL SELECT id::text FROM reservation UNION ALL SELECT id::text FROM payment
             UNION ALL SELECT id::text FROM job WHERE name IN ('fulfillment.collect', 'payments.create')
             UNION ALL SELECT slug FROM product WHERE id IN (SELECT product_id FROM order_item)
             UNION ALL SELECT supplier_order_id FROM reservation"""
    return [order.id, order.item_id, *(row[0] for row in await db.fetch(sql))]


async def knock(client: httpx.AsyncClient, door: Door, filled: dict[str, str], order: Bought, accept: str) -> bytes:
    """One request with all that could name the key in it; the whole answer as bytes."""
    told = {"orderId": order.id, "itemId": order.item_id, "item_id": order.item_id, "order": order.id}
    path = door.path
    for name, value in filled.items():
        path = path.replace("{" + name + "}", value)
    body = json.dumps(told) if door.method in {"POST", "PUT", "PATCH", "DELETE"} else None
    headers = {"accept": accept} | ({"content-type": "application/json"} if body else {})
    answer = await client.request(door.method, path, params=told, content=body, headers=headers)
    return str(answer.headers).encode() + answer.content


Ways = set[tuple[str, str]]


async def walk(client: httpx.AsyncClient, app: Any, order: Bought, find: Search, *, but: Collection[str] = ()) -> Ways:
    """The doors whose answer held a key."""
    named, giving = await things(order), set()
    for door, accept in itertools.product(doors(app), ("application/json", "text/html")):
        if door.path in but:
            continue
        for value in named if door.names else [""]:
            filled = dict.fromkeys(door.names, value) | ({"order_id": order.id} if len(door.names) > 1 else {})
            if find.in_(await knock(client, door, filled, order, accept)):
                giving.add((door.method, door.path))
    return giving


@pytest.fixture
async def secrets(client, ready, box, drain) -> Search:
    """The keys of ``ready``, as the supplier's books have them."""
    return Search(await serials(box))


async def test_the_walk_would_notice_it_finds_the_one_door_that_gives_the_owner_the_key(
    app, visitor, ready, secrets
) -> None:
    owner = visitor(**ready.bearer)
    assert await walk(owner, app, ready, secrets, but=ENDLESS) == GIVES


async def test_it_walks_through_every_route_there_is(app) -> None:
    paths = {door.path for door in doors(app)}
    assert len(paths) >= 45
    assert {path for _, path in GIVES} | ENDLESS <= paths


async def test_no_route_gives_a_stranger_a_key(app, visitor, ready, secrets) -> None:
    assert await walk(visitor(), app, ready, secrets) == set()


async def test_no_route_gives_another_customer_a_key(app, visitor, ready, secrets, client) -> None:
    other = await place(client, email="somebody@else.test")
    assert await walk(visitor(**other.bearer), app, ready, secrets) == set()
    session = cookie("session", await session_of("somebody@else.test"))
    assert await walk(visitor(**session), app, ready, secrets) == set()
    assert await db.fetch_value("SELECT count(*) FROM sealed_key WHERE revealed_at IS NOT NULL") == 0


async def test_no_route_but_the_reveal_gives_a_key_that_was_revealed_before(app, visitor, client, box, drain) -> None:
    """What a page remembers, or an answer cached, would show here."""
    order = await make_ready(client, box, drain)
    path, body = f"/fulfillment/{order.id}/reveal", {"itemId": order.item_id}
    assert (await client.post(path, json=body, headers=order.bearer)).status_code == 200
    find = Search(await serials(box))
    assert await walk(visitor(), app, order, find) == set()
    but = ENDLESS | {path for _, path in GIVES}
    assert await walk(visitor(**order.bearer), app, order, find, but=but) == set()
