"""What both object stores promise, on a real folder and on a real S3 server over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from app.core import clock
from app.providers.storage import LocalStore, ObjectConflict, ObjectMissing, ObjectStore
from app.providers.storage_s3 import S3Store

SEALED = bytes(range(256)) * 40
BAD_KEYS = [
    "", "/", "/etc/passwd", "..", "../x", "a/../b", "a/..", "a//b", "a/", "./a", "a/.hidden", ".unfinished/x",
    "a\\b", "a\x00b", "a\n", "a b", "ключ", "a/b?x", "a" * 513, "%2e%2e/x",
]  # fmt: skip


@pytest_asyncio.fixture(loop_scope="session", params=["folder", "s3"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    if request.param == "folder":
        yield LocalStore(tmp_path / "blobs", "link-secret", "https://shop.example/")
        return
    url, bucket = request.getfixturevalue("s3_bucket")
    store = S3Store(url, "id", "secret", bucket)
    yield store
    await store.aclose()


async def test_what_was_put_is_got_and_goes_when_deleted(store: ObjectStore) -> None:
    assert not await store.exists("keys/o-1/k-1")
    await store.put("keys/o-1/k-1", SEALED)
    assert await store.exists("keys/o-1/k-1")
    assert await store.get("keys/o-1/k-1") == SEALED
    await store.delete("keys/o-1/k-1")
    await store.delete("keys/o-1/k-1")
    assert not await store.exists("keys/o-1/k-1")
    with pytest.raises(ObjectMissing):
        await store.get("keys/o-1/k-1")


async def test_empty_objects_are_objects(store: ObjectStore) -> None:
    await store.put("empty", b"")
    assert await store.get("empty") == b""


async def test_a_key_is_written_once(store: ObjectStore) -> None:
    await store.put("k", SEALED)
    await store.put("k", SEALED)
    with pytest.raises(ObjectConflict):
        await store.put("k", SEALED + b"x")
    assert await store.get("k") == SEALED


async def test_of_many_writers_one_wins_and_the_rest_are_told(store: ObjectStore) -> None:
    attempts = [bytes([n]) * 5000 for n in range(8)]
    ends = await asyncio.gather(*(store.put("race", data) for data in attempts), return_exceptions=True)
    losers = [end for end in ends if end is not None]
    assert len(losers) == 7
    assert all(isinstance(end, ObjectConflict) for end in losers)
    assert await store.get("race") == attempts[ends.index(None)]


@pytest.mark.parametrize("key", BAD_KEYS)
async def test_keys_that_could_lead_elsewhere_are_no_keys(store: ObjectStore, key: str) -> None:
    for asked in (store.put(key, b"x"), store.get(key), store.delete(key), store.exists(key)):
        with pytest.raises(ValueError, match="not a storage key"):
            await asked
    with pytest.raises(ValueError, match="not a storage key"):
        await store.link(key, filename="f")


async def test_expiry_takes_what_is_old_and_below_the_prefix_only(store: ObjectStore) -> None:
    for key in ("keys/a", "keys/b/c", "keysafe/d", "other/e"):
        await store.put(key, SEALED)
    soon, past = clock.now() + timedelta(minutes=1), clock.now() - timedelta(minutes=1)
    assert await store.expire("keys/", past) == 0
    assert await store.expire("keys/", soon) == 2
    assert [await store.exists(key) for key in ("keys/a", "keys/b/c", "keysafe/d", "other/e")] == [
        False, False, True, True,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="prefix"):
        await store.expire("../", soon)


@pytest.mark.parametrize("seconds", [0, -1, 604_801])
async def test_links_live_between_a_second_and_a_week(store: ObjectStore, seconds: int) -> None:
    with pytest.raises(ValueError, match="604800"):
        await store.link("k", filename="f", seconds=seconds)


async def test_healthy_stores_say_so(store: ObjectStore) -> None:
    assert await store.health() is None


async def test_nothing_oversized_is_put(store: ObjectStore) -> None:
    with pytest.raises(ValueError, match="at most"):
        await store.put("big", bytes(16 * 1024 * 1024 + 1))
