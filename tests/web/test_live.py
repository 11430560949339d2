"""The live page's stream, off a real uvicorn: replay by number, news as it commits, and an end when told to."""

import asyncio
import contextlib
from uuid import UUID

import pytest

from app.core import db
from app.history import service as history
from app.web.kernel.streams import PER_VIEWER
from app.web.store.live import HEARTBEAT
from tests.web.builders import pay, place
from tests.web.streams import listening

pytestmark = pytest.mark.processes


def address(shop, order, query: str = "?after=0") -> str:
    return f"{shop.url}/orders/{order.id}/events{query}"


async def seqs(order) -> list[int]:
    rows = await db.fetch("SELECT seq FROM event WHERE subject = $1::text::uuid ORDER BY seq", order.id)
    return [row["seq"] for row in rows]


async def happen(order, kind: str = "test.happened") -> None:
    async with db.transaction():
        await history.record(UUID(order.id), kind)


async def test_the_stream_replays_every_event_by_number(shop, ready) -> None:
    known = await seqs(ready)
    async with listening(address(shop, ready), **ready.bearer) as stream:
        assert stream.response.status_code == 200
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert stream.response.headers["cache-control"] == "no-store"
        assert stream.response.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in stream.response.headers
        assert await stream.block() == ["retry: 1000"]
        news = await stream.news(len(known))
    assert [event["seq"] for event in news] == known == list(range(1, len(known) + 1))
    assert all(set(event) == {"seq", "kind", "at", "data"} for event in news)
    assert news[0]["kind"] == "order.created"
    assert news[-1]["kind"] == "order.fulfilled"


async def test_each_event_carries_its_number_and_kind_for_the_browser(shop, placed) -> None:
    async with listening(address(shop, placed), **placed.bearer) as stream:
        event = await stream.event()
    assert (event["id"], event["event"]) == ("1", "order.created")


CURSORS = (
    ("?after=3", None, 4), ("", "3", 4), ("?after=2", "5", 6), ("?after=5", "2", 6), ("?after=-1", "x", 1),
    ("?after=NaN", None, 1), ("?after=" + "9" * 5000, None, 1), ("", None, 1), ("?after=%00", "", 1),
)  # fmt: skip


async def test_the_cursor_is_taken_from_the_address_or_the_header(shop, ready) -> None:
    for query, last, first in CURSORS:
        headers = ready.bearer | ({"last-event-id": last} if last is not None else {})
        async with listening(address(shop, ready, query), **headers) as stream:
            [event] = await stream.news(1)
        assert event["seq"] == first, (query[:40], last)


async def test_news_arrives_when_it_commits_each_once_and_in_order(shop, placed, app) -> None:
    async with listening(address(shop, placed, "?after=1"), **placed.bearer) as stream:
        assert await stream.block() == ["retry: 1000"]
        for number in range(2, 7):
            await happen(placed)
            [event] = await stream.news(1)
            assert event["seq"] == number


async def test_a_whole_purchase_passes_by(shop, placed, client, drain, box) -> None:
    async with listening(address(shop, placed), **placed.bearer) as stream:
        await drain()
        await pay(client, box, placed)
        await drain()
        kinds = []
        while not kinds or kinds[-1] != "order.fulfilled":
            kinds += [event["kind"] for event in await stream.news(1)]
    assert kinds.index("order.waiting") < kinds.index("order.paid") < kinds.index("key.sealed")
    assert len(kinds) == len(await seqs(placed))


async def test_a_page_gets_the_moving_part_as_html(shop, placed, client) -> None:
    headers = placed.bearer | {"accept": "text/html"}
    partial = await client.get(f"/orders/{placed.id}/status", headers=headers)
    async with listening(address(shop, placed), **headers) as stream:
        event = await stream.event()
    assert event["id"] == "1"
    assert 'id="order-state"' in event["data"]
    assert 'data-phase="preparing"' in event["data"]
    assert partial.text.split("<ol")[0].strip() in event["data"]


async def test_an_uncommitted_event_is_not_told(shop, placed, app) -> None:
    async with listening(address(shop, placed, "?after=1"), **placed.bearer) as stream:
        await stream.block()
        with contextlib.suppress(LookupError):
            async with db.transaction():
                await history.record(UUID(placed.id), "never.happened")
                raise LookupError
        await happen(placed)
        [event] = await stream.news(1)
    assert (event["seq"], event["kind"]) == (2, "test.happened")


async def test_one_orders_news_is_not_told_on_anothers_stream(shop, placed, client) -> None:
    other = await place(client)
    async with listening(address(shop, placed, "?after=1"), **placed.bearer) as stream:
        await stream.block()
        await happen(other, "somebody.elses")
        await happen(placed, "my.own")
        [event] = await stream.news(1)
    assert event["kind"] == "my.own"


async def test_many_streams_of_one_order_all_hear(shop, placed, app) -> None:
    async def hear() -> int:
        async with listening(address(shop, placed, "?after=1"), **placed.bearer) as stream:
            await stream.block()
            opened.release()
            return (await stream.news(1))[0]["seq"]

    opened = asyncio.Semaphore(0)
    heard = [asyncio.create_task(hear()) for _ in range(20)]
    for _ in heard:
        await opened.acquire()
    await happen(placed)
    assert await asyncio.gather(*heard) == [2] * 20


def test_the_heartbeat_comes_before_any_host_loses_patience() -> None:
    assert 0 < HEARTBEAT < 30


async def test_strangers_hear_nothing(shop, placed) -> None:
    for headers in ({}, {"authorization": "Bearer nothing"}, {"accept": "text/html"}):
        async with listening(address(shop, placed), **headers) as stream:
            assert stream.response.status_code == 404
            assert "event-stream" not in stream.response.headers["content-type"]


async def test_closed_streams_are_not_counted_any_more(shop, placed, outside) -> None:
    async with listening(address(shop, placed), **placed.bearer) as stream:
        await stream.event()
        assert await open_streams(shop, outside) >= 1
    async with asyncio.timeout(10):
        while await open_streams(shop, outside) > 0:
            await asyncio.sleep(0.05)


async def open_streams(shop, outside) -> float:
    text = (await outside.get(f"{shop.url}/metrics")).text
    return float(next(line.split()[1] for line in text.splitlines() if line.startswith("bitloot_live_streams ")))


async def test_one_viewer_holds_so_many_streams_and_others_are_not_kept_out(shop, placed, client) -> None:
    other = await place(client)
    async with contextlib.AsyncExitStack() as held:
        for _ in range(PER_VIEWER):
            await held.enter_async_context(listening(address(shop, placed), **placed.bearer))
        async with listening(address(shop, placed), **placed.bearer) as refused:
            assert refused.response.status_code == 429
            assert refused.response.headers["retry-after"] == "60"
        async with listening(address(shop, other), **other.bearer) as stream:
            assert stream.response.status_code == 200
    async with asyncio.timeout(20):
        while True:  # until the server has seen that the streams are gone
            async with listening(address(shop, placed), **placed.bearer) as again:
                if again.response.status_code == 200:
                    break
