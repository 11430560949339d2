"""HEAD is answered like GET, without the body; what only a POST does, it does not."""

import asyncio

import pytest

from app.core import db
from tests.web.builders import picture

CHANGING = {"x-request-id", "set-cookie", "date", "content-length"}  # from one answer to the next


def told(answer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in CHANGING}


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
async def test_every_kind_of_page_answers_head_as_it_answers_get(visitor, ready, accept: str) -> None:
    client = visitor(accept, **ready.bearer)
    slug = await db.fetch_value("SELECT slug FROM product ORDER BY slug LIMIT 1")
    paths = [
        "/", "/?q=a", f"/products/{slug}", "/cart", "/login", "/orders", f"/orders/{ready.id}", "/admin",
        "/admin/login", f"/fulfillment/{ready.id}/status", "/healthz", "/readyz", "/api/docs",
        "/static/css/base.css", "/nowhere",
    ]  # fmt: skip
    for path in paths:
        got, head = await client.get(path), await client.head(path)
        assert (head.status_code, told(head)) == (got.status_code, told(got)), path
        assert "content-length" in head.headers or "content-length" not in got.headers, path
        assert head.content == b"", path


async def test_a_length_is_that_of_the_body_left_out(client) -> None:
    got, head = await client.get("/healthz"), await client.head("/healthz")
    assert int(head.headers["content-length"]) == len(got.content) > 0


async def test_heads_change_nothing(visitor, ready) -> None:
    client = visitor(**ready.bearer)
    before = await picture()
    for path in ("/", f"/orders/{ready.id}", f"/orders/{ready.id}/success", "/cart"):
        assert (await client.head(path)).status_code == 200
    for path in ("/orders/x/cancel", f"/fulfillment/{ready.id}/reveal", "/webhooks/kinguin"):
        assert (await client.head(path)).status_code in {404, 405}
    assert await picture() == before


async def test_a_stream_asked_for_its_head_ends_at_once_and_the_connection_serves_on(outside, shop) -> None:
    outside.base_url = shop.url
    for _ in range(3):
        head = await asyncio.wait_for(outside.head("/orders/01234567-89ab-7def-8123-456789abcdef/events"), 5)
        assert (head.status_code, head.content) == (404, b"")
        assert (await outside.get("/healthz")).status_code == 200


async def test_the_head_of_a_live_page_is_that_of_a_stream(outside, shop, client, ready) -> None:
    outside.base_url = shop.url
    for _ in range(3):
        head = await asyncio.wait_for(outside.head(f"/orders/{ready.id}/events", headers=ready.bearer), 5)
        assert head.status_code == 200
        assert head.headers["content-type"].startswith("text/event-stream")
        assert (await outside.get("/healthz")).status_code == 200
