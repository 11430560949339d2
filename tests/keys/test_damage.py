"""A blob that is not the one we put there is never shown: refused in plain words, reported, and written down."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from app.audit import queries as audit
from app.core import db
from app.issues.codes import IssueCode
from app.keys import reveal as keys
from app.keys.reveal import KeyBroken, KeyNotReady
from app.orders import queries as orders
from app.orders import reasons
from app.orders.models import Needing, OrderItem
from tests.builders import VISITOR, count, delivered, events, rows
from tests.keys.conftest import Behind

Damage = Callable[[Behind, str, str], None]
GONE, CHANGED = "its blob is missing from the store", "its blob is not the one we put there"


def flipped(place: int) -> Damage:
    def damage(behind: Behind, name: str, _other: str) -> None:
        blob = bytearray(behind.read(name))
        blob[place] ^= 1
        behind.write(name, bytes(blob))

    return damage


def cut(keep: int) -> Damage:
    return lambda behind, name, _other: behind.write(name, behind.read(name)[:keep])


def replaced(content: bytes) -> Damage:
    return lambda behind, name, _other: behind.write(name, content)


def moved_here(behind: Behind, name: str, other: str) -> None:
    """Another order's blob lies in this one's place."""
    behind.write(name, behind.read(other))


def exchanged(behind: Behind, name: str, other: str) -> None:
    mine, theirs = behind.read(name), behind.read(other)
    behind.write(name, theirs)
    behind.write(other, mine)


def moved_away(behind: Behind, name: str, other: str) -> None:
    behind.write(f"{other}-aside", behind.read(name))
    behind.remove(name)


def removed(behind: Behind, name: str, _other: str) -> None:
    behind.remove(name)


DAMAGES: dict[str, tuple[Damage, str]] = {
    "version flipped": (flipped(0), CHANGED),
    "first byte of the IV flipped": (flipped(1), CHANGED),
    "first byte of the text flipped": (flipped(13), CHANGED),
    "last byte of the tag flipped": (flipped(-1), CHANGED),
    "last byte cut off": (cut(-1), CHANGED),
    "cut to its head": (cut(29), CHANGED),
    "cut to one byte": (cut(1), CHANGED),
    "emptied": (replaced(b""), CHANGED),
    "zeros": (replaced(bytes(60)), CHANGED),
    "something else": (replaced(b"\x01" + b"not ours" * 9), CHANGED),
    "lengthened": (lambda behind, name, _: behind.write(name, behind.read(name) + b"\x00"), CHANGED),
    "another order's in its place": (moved_here, CHANGED),
    "exchanged with another order's": (exchanged, CHANGED),
    "moved away": (moved_away, GONE),
    "removed": (removed, GONE),
}


async def blob_of(item: OrderItem, ordinal: int = 0) -> str:
    sql = "SELECT blob FROM sealed_key WHERE item_id = $1 AND ordinal = $2"
    return str(await db.fetch_value(sql, item.id, ordinal))


async def reveal(behind: Behind, order_id: UUID, item: OrderItem) -> list[keys.Revealed]:
    return await keys.reveal(order_id, item.id, VISITOR, store=behind.kit.store)


def said(one: Needing) -> list[str]:
    return [issue.detail for issue in one.issues]


async def is_broken(behind: Behind, order_id: UUID, item: OrderItem, why: str) -> None:
    """Asking for it is answered in plain words, shows nothing, and puts the order before a person."""
    reported = REGISTRY.get_sample_value("bitloot_broken_keys_total") or 0
    with pytest.raises(KeyBroken) as refused:
        await reveal(behind, order_id, item)
    assert refused.value.detail == "Your key is not lost. Our team has been told and is working on it."
    assert await count("sealed_key", "revealed_at IS NOT NULL") == 0
    assert await count("sealed_key", "broken_at IS NOT NULL") == 1
    (line,) = [line for line in await audit.of_order(order_id) if line.action != "key.link_issued"]
    broken = await db.fetch_value("SELECT id FROM sealed_key WHERE broken_at IS NOT NULL")
    assert (line.action, line.key_id, line.details) == ("key.broken", broken, why)
    assert (line.actor, line.ip) == (VISITOR.actor, VISITOR.ip)
    assert [(one.order_id, said(one)) for one in await orders.needing()] == [
        (order_id, [f"A key does not open: {why}"])
    ]
    assert (await events(order_id)).count("key.broken") == 1
    assert REGISTRY.get_sample_value("bitloot_broken_keys_total") == reported + 1


@pytest.mark.parametrize(("damage", "why"), DAMAGES.values(), ids=DAMAGES.keys())
async def test_a_damaged_blob_is_refused_reported_and_audited_and_opens_again_once_it_is_put_back(
    box: Any, behind: Behind, damage: Damage, why: str
) -> None:
    order_id, (item,) = await delivered(behind.kit, box)
    _, (theirs,) = await delivered(behind.kit, box)
    name, other = await blob_of(item), await blob_of(theirs)
    genuine = behind.read(name)
    damage(behind, name, other)
    await is_broken(behind, order_id, item, why)
    behind.write(name, genuine)
    assert len(await reveal(behind, order_id, item)) == 1
    assert await orders.needing() == []
    assert await count("sealed_key", "broken_at IS NOT NULL") == 0


async def test_of_an_item_with_one_damaged_key_none_is_shown_and_that_one_is_named(box: Any, behind: Behind) -> None:
    order_id, (item,) = await delivered(behind.kit, box, 3)
    behind.remove(await blob_of(item, 1))
    await is_broken(behind, order_id, item, GONE)
    assert await db.fetch_value("SELECT ordinal FROM sealed_key WHERE broken_at IS NOT NULL") == 1


async def test_two_blobs_of_one_item_that_changed_places_are_both_broken(box: Any, behind: Behind) -> None:
    order_id, (item,) = await delivered(behind.kit, box, 2)
    exchanged(behind, await blob_of(item, 0), await blob_of(item, 1))
    with pytest.raises(KeyBroken):
        await reveal(behind, order_id, item)
    assert await count("sealed_key", "broken_at IS NOT NULL") == 2
    assert await count("audit_line", "action = 'key.broken'") == 2


async def test_a_row_that_was_pointed_at_another_orders_blob_does_not_open(box: Any, behind: Behind) -> None:
    order_id, (item,) = await delivered(behind.kit, box)
    _, (theirs,) = await delivered(behind.kit, box)
    await db.fetch("UPDATE sealed_key SET blob = $2 WHERE item_id = $1", item.id, await blob_of(theirs))
    await is_broken(behind, order_id, item, CHANGED)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("wrapped = '\\x00'", "its order's data key does not unwrap"),
        ("wrapped = set_bit(wrapped, 200, 1 - get_bit(wrapped, 200))", "its order's data key does not unwrap"),
        ("master_key_id = 'lost'", "its master key is not in MASTER_KEYS"),
    ],
)
async def test_a_data_key_that_can_not_be_unwrapped_breaks_its_keys(box: Any, app: Any, change: str, why: str) -> None:
    order_id, (item,) = await delivered(app.state.kit, box)
    await db.fetch(f"UPDATE order_data_key SET {change}")
    with pytest.raises(KeyBroken):
        await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)
    assert [said(one) for one in await orders.needing()] == [[f"A key does not open: {why}"]]


async def test_asking_again_for_a_broken_key_is_audited_again_and_told_once(box: Any, behind: Behind) -> None:
    order_id, (item,) = await delivered(behind.kit, box)
    behind.remove(await blob_of(item))
    for _ in range(3):
        with pytest.raises(KeyBroken):
            await reveal(behind, order_id, item)
    assert await count("audit_line", "action = 'key.broken'") == 3
    assert (await events(order_id)).count("key.broken") == 1


async def test_why_an_order_waits_for_a_person_already_is_kept(box: Any, app: Any) -> None:
    order_id, (item,) = await delivered(app.state.kit, box)
    await reasons.open_reason(order_id, IssueCode.FURTHER_DEPOSIT, "paid twice")
    name = await blob_of(item)
    sealed = await app.state.store.get(name)
    await app.state.store.delete(name)
    with pytest.raises(KeyBroken):
        await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)
    await app.state.store.put(name, sealed)
    await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)
    assert [said(one) for one in await orders.needing()] == [["paid twice"]]


async def test_a_damaged_key_of_an_order_closed_meanwhile_troubles_nobody(box: Any, app: Any) -> None:
    order_id, (item,) = await delivered(app.state.kit, box)
    await app.state.store.delete(await blob_of(item))
    await db.fetch("UPDATE customer_order SET status = 'refunded'")
    before = await rows(but=("audit_line", "audit_head"))
    with pytest.raises(KeyNotReady):
        await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)
    assert await rows(but=("audit_line", "audit_head")) == before
