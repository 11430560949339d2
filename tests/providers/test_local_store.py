"""The local folder's own promises: whole files or none, and links that expire and can't be bent."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.providers.http import ProviderDown
from app.providers.storage import LocalStore, ObjectConflict, ObjectMissing

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "blobs", "link-secret", "https://shop.example/", now=lambda: NOW)


def parts(link: str) -> tuple[str, str, str]:
    url = urlsplit(link)
    query = parse_qs(url.query)
    return url.path.removeprefix("/blobs/"), query["expires"][0], query["signature"][0]


async def test_a_link_opens_for_fifteen_minutes(store: LocalStore) -> None:
    link = await store.link("keys/o-1/k-1", filename="game.sealed")
    assert link.startswith("https://shop.example/blobs/keys/o-1/k-1?expires=")
    key, expires, signature = parts(link)
    assert store.verify_link(key, expires, signature, NOW)
    assert store.verify_link(key, expires, signature, NOW + timedelta(seconds=899))
    assert not store.verify_link(key, expires, signature, NOW + timedelta(seconds=900))


async def test_a_bent_link_does_not_open(store: LocalStore, tmp_path: Path) -> None:
    key, expires, signature = parts(await store.link("keys/o-1/k-1", filename="f"))
    later = str(int(expires) + 1)
    bent = [
        ("keys/o-1/k-2", expires, signature), (key, later, signature), (key, "", signature), (key, expires, ""),
        (key, expires, signature[:-1]), (key, expires, signature.upper()), (key, f" {expires}", signature),
        (key, expires, "é"), (key, expires, "\ud800"), (key + "\n", expires, signature), ("../x", expires, signature),
    ]  # fmt: skip
    assert not any(store.verify_link(*tried, NOW) for tried in bent)
    stranger = LocalStore(tmp_path, "other-secret", "https://shop.example")
    assert not stranger.verify_link(key, expires, signature, NOW)


@given(st.text(), st.text(), st.text())
def test_any_text_may_be_asked_about(key: str, expires: str, signature: str) -> None:
    asked = LocalStore(Path("never-made"), "link-secret", "https://shop.example")
    assert not asked.verify_link(key, expires, signature, NOW)


async def test_a_write_leaves_one_whole_file_and_nothing_else(store: LocalStore, tmp_path: Path) -> None:
    await asyncio.gather(*(store.put(f"keys/{n}", bytes([n])) for n in range(5)))
    left = sorted(str(p.relative_to(tmp_path / "blobs")) for p in tmp_path.rglob("*") if p.is_file())
    assert left == [f"keys/{n}" for n in range(5)]


async def test_what_a_crash_left_is_swept_after_a_day(store: LocalStore, tmp_path: Path) -> None:
    await store.put("keys/a", b"x")
    unfinished = tmp_path / "blobs" / ".unfinished"
    old, young = unfinished / "old", unfinished / "young"
    old.write_bytes(b"half")
    young.write_bytes(b"half")
    os.utime(old, (1, 1))
    assert await store.expire("", NOW - timedelta(days=3650)) == 0
    assert [path.exists() for path in (old, young)] == [False, True]


async def test_a_folder_that_cannot_be_is_down(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    store = LocalStore(tmp_path / "file", "link-secret", "https://shop.example")
    with pytest.raises(ProviderDown):
        await store.put("k", b"x")
    with pytest.raises(ProviderDown):
        await store.health()


def test_links_need_a_secret() -> None:
    with pytest.raises(ValueError, match="secret"):
        LocalStore(Path(), "", "https://shop.example")


def test_boto3_is_not_loaded_for_a_folder() -> None:
    loads = "import sys, app.providers.storage; sys.exit('boto3' in sys.modules or 'botocore' in sys.modules)"
    subprocess.run([sys.executable, "-c", loads], check=True)


async def test_a_key_that_is_anothers_folder_holds_nothing(store: LocalStore) -> None:
    await store.put("a/b", b"x")
    assert not await store.exists("a")
    await store.delete("a")
    await store.delete("a/b/c")
    for key in ("a", "a/b/c"):
        with pytest.raises(ObjectMissing):
            await store.get(key)
    with pytest.raises(ObjectConflict):
        await store.put("a", b"y")
    assert await store.get("a/b") == b"x"
