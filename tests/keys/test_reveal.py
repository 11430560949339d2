"""Revealing: plaintext for the owner only, once it is ready and while it is kept, and each time with its audit line."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from asyncpg import CheckViolationError

from app.audit import queries as audit
from app.core import clock, db
from app.core.errors import NotFound, Problem
from app.core.ids import new_id
from app.core.settings import settings
from app.keys import reveal as keys
from app.keys.reveal import GameKeyDeleted, KeyNotReady, KeyStoreAway, Visitor
from app.orders.models import OrderItem
from tests.builders import VISITOR, count, delivered, events, paid, rows

Bought = tuple[UUID, list[dict[str, Any]]]


async def serials(box: Any) -> list[str]:
    """All keys the supplier ever handed out, newest order first."""
    answer = await box.http.get("/sandbox/api/orders", params={"keys": "1"})
    return [key["serial"] for order in answer.json() for key in order["keys"]]


async def reveal(app: Any, order_id: UUID, item_id: UUID, visitor: Visitor = VISITOR) -> list[keys.Revealed]:
    return await keys.reveal(order_id, item_id, visitor, store=app.state.store)


REVEALED = "action = 'key.revealed'"
LOG = ("audit_line", "audit_head")


async def denied(app: Any, error: type[Problem], order_id: UUID, item_id: UUID) -> None:
    """The reveal is refused, changes nothing and is written down as a denial."""
    before, lines = await rows(but=LOG), await count("audit_line")
    with pytest.raises(error):
        await reveal(app, order_id, item_id)
    assert await rows(but=LOG) == before
    last = await db.fetch_one("SELECT action, order_id, actor, details FROM audit_line ORDER BY seq DESC LIMIT 1")
    assert tuple(last) == ("key.denied", order_id, VISITOR.actor, f"reveal: {error().code}")
    assert await count("audit_line") == lines + 1


async def blob_of(item: OrderItem, ordinal: int = 0) -> Path:
    name = await db.fetch_value("SELECT blob FROM sealed_key WHERE item_id = $1 AND ordinal = $2", item.id, ordinal)
    return settings().bitloot_var / "blobs" / name


async def test_a_reveal_gives_the_suppliers_own_keys_back(app, box) -> None:
    order_id, (item,) = await delivered(app.state.kit, box, 3)
    shown = await reveal(app, order_id, item.id)
    assert sorted(k.value.reveal().decode() for k in shown) == sorted(await serials(box))
    assert [(k.media_type, k.first) for k in shown] == [("text/plain", True)] * 3
    assert await events(order_id) == [*(await events(order_id))[:-1], "key.revealed"]


async def test_a_reveal_writes_who_when_and_from_where_for_each_key(app, box) -> None:
    order_id, (item,) = await delivered(app.state.kit, box, 2)
    shown = await reveal(app, order_id, item.id)
    log = await audit.of_order(order_id)
    assert [(e.action, e.key_id) for e in log] == [("key.revealed", k.key_id) for k in shown]
    assert {(e.actor, e.ip, e.user_agent) for e in log} == {(VISITOR.actor, VISITOR.ip, VISITOR.user_agent)}
    assert all(abs(e.at - clock.now()) < timedelta(minutes=1) for e in log)


async def test_a_second_reveal_shows_the_same_says_when_the_first_was_and_is_audited_too(app, box) -> None:
    order_id, (item,) = await delivered(app.state.kit, box)
    (first,) = await reveal(app, order_id, item.id)
    with clock.travelled(timedelta(days=3)):
        (second,) = await reveal(app, order_id, item.id)
    assert second.value.reveal() == first.value.reveal()
    assert (first.first, second.first, second.revealed_at) == (True, False, first.revealed_at)
    assert await count("audit_line", REVEALED) == 2
    assert (await events(order_id)).count("key.revealed") == 1


async def test_of_eight_reveals_at_once_one_is_the_first_and_all_are_audited(app, box) -> None:
    order_id, (item,) = await delivered(app.state.kit, box)
    shown = await asyncio.gather(*(reveal(app, order_id, item.id) for _ in range(8)))
    assert sum(k.first for (k,) in shown) == 1
    assert len({k.revealed_at for (k,) in shown}) == 1
    assert await count("audit_line", REVEALED) == 8
    assert (await events(order_id)).count("key.revealed") == 1


@pytest.fixture
async def unwritable_log(app) -> AsyncIterator[None]:
    """An audit log that takes no line of a reveal."""
    await db.fetch("ALTER TABLE audit_line ADD CONSTRAINT no_lines CHECK (action <> 'key.revealed')")
    yield
    await db.fetch("ALTER TABLE audit_line DROP CONSTRAINT no_lines")


async def test_without_its_audit_line_nothing_is_revealed(app, box, unwritable_log) -> None:
    order_id, (item,) = await delivered(app.state.kit, box, 2)
    before = await rows()
    with pytest.raises(CheckViolationError):
        await reveal(app, order_id, item.id)
    assert await rows() == before
    assert await count("sealed_key", "revealed_at IS NULL") == 2


async def test_a_key_that_is_not_there_yet_is_not_ready(app, box) -> None:
    order_id, (item,) = await paid(app.state.kit, box)
    await denied(app, KeyNotReady, order_id, item.id)


async def test_anothers_item_and_an_unknown_one_are_both_unknown(app, box) -> None:
    mine, _ = await delivered(app.state.kit, box)
    _, (theirs,) = await delivered(app.state.kit, box)
    await denied(app, NotFound, mine, theirs.id)
    await denied(app, NotFound, mine, new_id())
    await denied(app, NotFound, new_id(), theirs.id)


@pytest.mark.parametrize("status", ["failed", "refunded", "cancelled"])
async def test_a_key_of_an_order_that_is_not_paid_for_any_more_stays_sealed(app, box, status: str) -> None:
    order_id, (item,) = await delivered(app.state.kit, box)
    await db.fetch("UPDATE customer_order SET status = $2 WHERE id = $1", order_id, status)
    await denied(app, KeyNotReady, order_id, item.id)


async def test_a_key_past_its_time_is_gone_for_good_and_its_log_stays(app, box) -> None:
    order_id, (item,) = await delivered(app.state.kit, box)
    await reveal(app, order_id, item.id)
    blob, log = await blob_of(item), await audit.of_order(order_id)
    assert await keys.retire(clock.now() - timedelta(days=1), store=app.state.store) == 0
    assert await keys.retire(clock.now() + timedelta(seconds=1), store=app.state.store) == 1
    assert not blob.exists()
    await denied(app, GameKeyDeleted, order_id, item.id)
    assert GameKeyDeleted.status == 410
    with pytest.raises(GameKeyDeleted):
        await keys.links(order_id, item.id, VISITOR, store=app.state.store)
    assert (await audit.of_order(order_id))[: len(log)] == log
    assert await keys.retire(clock.now() + timedelta(seconds=1), store=app.state.store) == 0


async def test_a_store_out_of_reach_breaks_no_key(app, box) -> None:
    order_id, (item,) = await delivered(app.state.kit, box)
    blob = await blob_of(item)
    sealed = blob.read_bytes()
    blob.unlink()
    blob.symlink_to(blob)  # a loop: the folder answers with an error, as a disk in trouble does
    before = await rows()
    with pytest.raises(KeyStoreAway):
        await reveal(app, order_id, item.id)
    assert await rows() == before
    blob.unlink()
    blob.write_bytes(sealed)
    assert len(await reveal(app, order_id, item.id)) == 1


async def test_a_link_to_the_sealed_blob_works_for_fifteen_minutes_and_is_audited(app, box) -> None:
    order_id, (item,) = await delivered(app.state.kit, box, 2)
    found = await keys.links(order_id, item.id, VISITOR, store=app.state.store)
    assert [link.seconds for link in found] == [900, 900]
    assert await count("audit_line", "action = 'key.link_issued'") == 2
    assert await count("sealed_key", "revealed_at IS NOT NULL") == 0
    parts = [dict(p.split("=") for p in link.url.partition("?")[2].split("&")) for link in found]
    name = str((await blob_of(item)).relative_to(settings().bitloot_var / "blobs"))
    for after, good in ((timedelta(seconds=880), True), (timedelta(seconds=901), False)):
        now = clock.now() + after
        assert app.state.store.verify_link(name, parts[0]["expires"], parts[0]["signature"], now) is good
    assert not app.state.store.verify_link(name, parts[1]["expires"], parts[1]["signature"], clock.now())


async def test_nothing_to_download_is_said_and_the_denial_written_down(app, box) -> None:
    order_id, (item,) = await paid(app.state.kit, box)
    before = await rows(but=LOG)
    with pytest.raises(KeyNotReady):
        await keys.links(order_id, item.id, VISITOR, store=app.state.store)
    assert await rows(but=LOG) == before
    assert await db.fetch_value("SELECT details FROM audit_line") == "link: key_not_ready"
