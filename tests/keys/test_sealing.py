"""Sealing: every key under its order's own data key, and its plaintext nowhere else at all."""

import asyncio
import base64
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.core.crypto import Plaintext
from app.core.ids import new_id
from app.core.redis import async_client
from app.core.settings import settings
from app.keys import reveal as keys
from app.suppliers.models import SupplierKey
from tests.builders import VISITOR, count, delivered, order, paid, place, rows

TEXT = "ABCD-EFGH-IJKL"


def fetched(*texts: str, media_type: str = "text/plain") -> list[SupplierKey]:
    return [SupplierKey(new_id().hex[:24], media_type, Plaintext(t.encode())) for t in texts]


async def sealed(app: Any, found: list[SupplierKey]) -> tuple[UUID, UUID, list[keys.Sealed]]:
    """Keys sealed for a new order's item, without their rows."""
    order_id = await place(len(found))
    (item,) = (await order(order_id)).items
    done = await keys.seal(order_id, item.id, found, first_ordinal=0, store=app.state.store)
    return order_id, item.id, done


async def all_that_is_kept(box: Any) -> bytes:
    """Every table, all of Redis, every blob and every letter, as one text."""
    stored = [line for lines in (await rows()).values() for line in lines]
    async with async_client() as redis:
        cached = [key + b" " + (await redis.dump(key)) for key in await redis.keys("*")]
    blobs = [path.read_bytes() for path in (settings().bitloot_var / "blobs").rglob("*") if path.is_file()]
    letters = [str(mail) for mail in await box.mail()]
    return b"\n".join([*(s.encode() for s in [*stored, *letters]), *cached, *blobs])


def spellings(text: str) -> list[bytes]:
    """A text as it might lie about: plain, in hex, in base64 at any offset."""
    raw = text.encode()
    shifted = [base64.b64encode(b"x" * n + raw)[4:-4] for n in range(3)]
    return [raw, raw.hex().encode(), raw.hex().upper().encode(), *shifted]


async def test_the_plaintext_of_a_bought_and_revealed_key_is_kept_nowhere(app, drain, box) -> None:
    order_id, (item,) = await delivered(app.state.kit, box, 2)
    shown = await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)
    await drain()
    kept = await all_that_is_kept(box)
    assert len(await box.mail()) == 3
    assert order_id.hex.encode() in kept.replace(b"-", b"")
    for key in shown:
        assert not [s for s in spellings(key.value.reveal().decode()) if s in kept]


async def test_the_data_key_itself_is_kept_wrapped_only(app, box) -> None:
    order_id, _ = await delivered(app.state.kit, box)
    kept = await all_that_is_kept(box)
    master = base64.b64decode(settings().master_keys.get_secret_value().partition(":")[2])
    assert master not in kept
    assert master.hex().encode() not in kept
    assert (await keys.data_key(order_id))._secret.hex().encode() not in kept
    assert await count("order_data_key") == 1


async def test_each_order_has_a_data_key_of_its_own_and_keeps_it(app) -> None:
    first, second = await place(), await place()
    made = [await keys.data_key(order_id) for order_id in (first, second, first)]
    assert made[0]._secret == made[2]._secret != made[1]._secret


async def test_ten_who_need_the_data_key_at_once_get_the_same(app) -> None:
    order_id = await place()
    made = await asyncio.gather(*(keys.data_key(order_id) for _ in range(10)))
    assert len({key._secret for key in made}) == 1
    assert await count("order_data_key") == 1


async def test_two_equal_keys_give_two_unlike_blobs(app) -> None:
    *_, done = await sealed(app, fetched(TEXT, TEXT))
    first, second = [await app.state.store.get(one.blob) for one in done]
    assert first != second
    assert first[:1] == b"\x01"
    assert len(first) == 1 + 12 + len(TEXT) + 16


async def test_what_is_sealed_counts_only_with_its_row(app) -> None:
    _, _, done = await sealed(app, fetched(TEXT))
    assert await app.state.store.exists(done[0].blob)
    assert await count("sealed_key") == 0


async def test_a_unit_gets_one_key_and_a_suppliers_key_goes_to_one_unit(app) -> None:
    order_id, item_id, done = await sealed(app, fetched(TEXT, "OTHER-TEXT"))
    await keys.keep(order_id, item_id, done[:1])
    before = await rows()
    same_unit = keys.Sealed(new_id(), "another", "text/plain", "x", done[0].ordinal)
    same_key = keys.Sealed(new_id(), done[0].supplier_key_id, "text/plain", "x", 5)
    for wrong in (same_unit, same_key, done[0]):
        with pytest.raises(asyncpg.UniqueViolationError):
            await keys.keep(order_id, item_id, [wrong])
    assert await rows() == before
    await keys.keep(order_id, item_id, done[1:])
    assert await count("sealed_key") == 2


@pytest.mark.parametrize("text", ["K", "ключ 鍵 🎮", "x" * 300_000])
async def test_a_key_of_any_text_and_length_comes_back_as_it_was(app, box, text: str) -> None:
    order_id, (item,) = await paid(app.state.kit, box)
    done = await keys.seal(order_id, item.id, fetched(text), first_ordinal=0, store=app.state.store)
    await keys.keep(order_id, item.id, done)
    (shown,) = await keys.reveal(order_id, item.id, VISITOR, store=app.state.store)
    assert shown.value.reveal().decode() == text
    assert text not in repr(shown)
