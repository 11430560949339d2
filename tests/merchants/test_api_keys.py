"""API keys: shown once, kept as a digest, dead at once when they are revoked."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from app.core import clock, db
from app.core.ids import new_id
from app.merchants import api_keys, queries, service
from app.merchants.api_keys import ApiKeyNotFound, BadKey, InvalidApiKey, Issued, TooManyKeys
from tests.builders import count, rows

HOUR = timedelta(hours=1)


@pytest.fixture
async def shop(app) -> UUID:
    return await service.create_merchant("Games & Co")


async def made(shop: UUID, **change) -> Issued:
    return await api_keys.issue(shop, **{"test": True, "name": "till", "scopes": api_keys.SCOPES} | change)


async def works(issued: Issued) -> bool:
    try:
        await api_keys.authenticate(issued.key, issued.secret)
    except InvalidApiKey:
        return False
    return True


async def test_a_key_opens_the_door_for_its_merchant_its_mode_and_its_scopes(shop) -> None:
    issued = await made(shop, scopes=["payments:read", "orders:write"])
    assert issued.key.startswith("bl_test_")
    assert issued.secret.startswith("bls_")
    caller = await api_keys.authenticate(issued.key, issued.secret)
    assert caller == api_keys.Caller(shop, True, issued.id, frozenset({"orders:write", "payments:read"}))
    live = await made(shop, test=False)
    assert live.key.startswith("bl_live_")
    assert not (await api_keys.authenticate(live.key, live.secret)).test


async def test_no_secret_is_kept_or_shown(shop) -> None:
    issued = await made(shop)
    stored = "".join(line for lines in (await rows()).values() for line in lines)
    assert issued.key in stored
    assert issued.secret not in stored + repr(issued)
    assert issued.secret.removeprefix("bls_") not in stored


async def test_a_wrong_an_unknown_and_a_foreign_secret_are_refused_alike(shop) -> None:
    issued, other = await made(shop), await made(shop)
    before = await rows()
    said = set()
    pairs = [
        (issued.key, other.secret), (issued.key, ""), (issued.key, issued.secret + "x"), ("bl_test_x", issued.secret),
        ("", ""), (issued.key + "\x00", other.secret), ("\x00", "\ud800"),
        (await api_keys.publishable(shop, test=True), ""),
    ]  # fmt: skip
    for key, secret in pairs:
        with pytest.raises(InvalidApiKey) as refused:
            await api_keys.authenticate(key, secret)
        said.add(str(refused.value))
    assert len(said) == 1
    assert (await rows(but=["api_key"])) == {n: lines for n, lines in before.items() if n != "api_key"}


async def test_a_revoked_key_is_dead_at_once_and_for_good(shop) -> None:
    issued = await made(shop)
    assert await works(issued)
    await api_keys.revoke(issued.id, shop)
    assert not await works(issued)
    await api_keys.revoke(issued.id, shop)
    assert await count("audit_line", "action = 'api_key.revoked'") == 1
    with pytest.raises(ApiKeyNotFound):
        await api_keys.rotate(issued.id, shop, overlap=HOUR)


async def test_a_key_ends_at_its_time(shop) -> None:
    issued = await made(shop, expires_at=clock.now() + HOUR)
    assert await works(issued)
    with clock.travelled(HOUR):
        assert not await works(issued)


async def test_rotation_leaves_both_until_the_overlap_is_over(shop) -> None:
    old = await made(shop, scopes=["orders:read"])
    new = await api_keys.rotate(old.id, shop, overlap=HOUR)
    assert await works(old)
    assert (await api_keys.authenticate(new.key, new.secret)).scopes == {"orders:read"}
    with clock.travelled(HOUR):
        assert not await works(old)
        assert await works(new)


async def test_rotation_without_overlap_ends_the_old_key_now_and_never_gives_it_more_time(shop) -> None:
    at_once, dying = await made(shop), await made(shop, expires_at=clock.now() + HOUR)
    await api_keys.rotate(at_once.id, shop, overlap=timedelta())
    assert not await works(at_once)
    await api_keys.rotate(dying.id, shop, overlap=5 * HOUR)
    with clock.travelled(HOUR):
        assert not await works(dying)


async def test_nobody_touches_the_key_of_another(shop) -> None:
    issued, other = await made(shop), await service.create_merchant("Other")
    before = await rows()
    for attempt in (
        api_keys.revoke(issued.id, other), api_keys.rotate(issued.id, other, overlap=HOUR),
        api_keys.revoke(new_id(), shop),
    ):  # fmt: skip
        with pytest.raises(ApiKeyNotFound):
            await attempt
    assert await rows() == before


async def test_bad_keys_are_refused_and_nothing_is_made(shop) -> None:
    before = await rows()
    for change, field in [
        ({"name": " "}, "name"), ({"name": "x" * 101}, "name"), ({"scopes": []}, "scopes"),
        ({"scopes": ["all"]}, "scopes"), ({"expires_at": clock.now() - HOUR}, "expires_at"),
    ]:  # fmt: skip
        with pytest.raises(BadKey) as refused:
            await made(shop, **change)
        assert refused.value.field == field
    with pytest.raises(ApiKeyNotFound):
        await made(new_id())
    assert await rows() == before


async def test_a_merchant_has_so_many_keys_and_not_one_more(shop) -> None:
    issued = [await made(shop) for _ in range(api_keys.MOST - 1)]
    ended = await asyncio.gather(*(made(shop) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(e, TooManyKeys) for e in ended) == 3
    await api_keys.revoke(issued[0].id, shop)
    assert await works(await made(shop))


async def test_the_last_use_is_noted_once_a_minute(shop) -> None:
    issued = await made(shop)
    seen = "SELECT last_used_at FROM api_key WHERE id = $1"
    assert await db.fetch_value(seen, issued.id) is None
    assert all(await asyncio.gather(*(works(issued) for _ in range(20))))
    first = await db.fetch_value(seen, issued.id)
    await works(issued)
    assert await db.fetch_value(seen, issued.id) == first
    with clock.travelled(timedelta(minutes=1)):
        await works(issued)
    assert await db.fetch_value(seen, issued.id) > first


async def test_a_closed_merchants_keys_are_dead(shop) -> None:
    issued, open_ = await made(shop), await api_keys.publishable(shop, test=True)
    await service.close(shop, by="admin boss")
    assert not await works(issued)
    assert await queries.by_publishable(open_) is None
    with pytest.raises(service.NoSuchMerchant):
        await service.close(shop, by="admin boss")


async def test_a_publishable_key_is_rotated_and_the_old_one_goes_on_for_the_overlap_alone(shop) -> None:
    old, live = await api_keys.publishable(shop, test=True), await api_keys.publishable(shop, test=False)
    new = await api_keys.rotate_publishable(shop, test=True, overlap=timedelta(hours=1), by="member ann@acme.test")
    assert new != old
    assert await api_keys.publishable(shop, test=True) == new
    assert await api_keys.publishable(shop, test=False) == live
    for key in (old, new):
        found = await queries.by_publishable(key)
        assert found is not None
    with clock.travelled(timedelta(hours=1, seconds=1)):
        assert await queries.by_publishable(old) is None
        assert await queries.by_publishable(new) is not None
    third = await api_keys.rotate_publishable(shop, test=True, overlap=timedelta())
    assert [await queries.by_publishable(key) for key in (old, new)] == [None, None]
    assert await api_keys.publishable(shop, test=True) == third
    assert await count("audit_line", "action = 'api_key.rotated'") == 2
    with pytest.raises(BadKey):
        await api_keys.rotate_publishable(shop, test=True, overlap=timedelta(days=8))
    assert await api_keys.publishable(shop, test=True) == third


async def test_there_is_one_publishable_key_a_mode(shop) -> None:
    test = set(await asyncio.gather(*(api_keys.publishable(shop, test=True) for _ in range(10))))
    live = await api_keys.publishable(shop, test=False)
    assert len(test) == 1
    (key,) = test
    assert key.startswith("pk_test_")
    assert live.startswith("pk_live_")
    found = await queries.by_publishable(key)
    assert found is not None
    assert (found.test, found.id) == (True, shop)
    assert await queries.by_publishable((await made(shop)).key) is None
    assert await queries.by_publishable("\x00") is None


async def test_the_list_shows_what_is_in_use_and_no_secret(shop) -> None:
    first, second = await made(shop, name="first"), await made(shop, name="second")
    await made(shop, test=False)
    await api_keys.revoke(second.id, shop)
    listed = await queries.keys(shop, test=True)
    assert [(k.name, k.in_use) for k in listed] == [("first", True), ("second", False)]
    assert "secret_hash" not in listed[0].__struct_fields__
    assert first.secret not in str(listed)


async def test_making_rotating_and_revoking_is_written_down(shop) -> None:
    issued = await made(shop, by="member a@shop.test", ip="192.0.2.1")
    new = await api_keys.rotate(issued.id, shop, overlap=HOUR, by="member b@shop.test")
    await api_keys.revoke(new.id, shop, by="member c@shop.test")
    lines = await db.fetch(
        "SELECT action, actor, ip, details FROM audit_line WHERE action LIKE 'api_key.%' ORDER BY seq"
    )
    assert [(line["action"], line["actor"][-11]) for line in lines] == [
        ("api_key.issued", "a"), ("api_key.rotated", "b"), ("api_key.revoked", "c"),
    ]  # fmt: skip
    assert lines[0]["ip"] == "192.0.2.1"
    assert all(issued.secret not in line["details"] and str(shop) in line["details"] for line in lines)
