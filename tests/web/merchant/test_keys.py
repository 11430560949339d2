"""API keys by hand: a secret is in one answer and never again; what is another merchant's or mode's is not there."""

import re

from app.core import db
from app.merchants import api_keys, queries
from tests.web.builders import LOG, count, logged, minutes, picture

SECRET = re.compile(r"bls_[A-Za-z0-9_-]{40,}")


async def made(member, **fields):
    answer = await member.post("/merchant/keys", {"name": "shop server", "scopes": list(api_keys.SCOPES), **fields})
    assert answer.status_code == 200, answer.text
    [row] = await db.fetch("SELECT * FROM api_key WHERE kind = 'secret' ORDER BY created_at DESC LIMIT 1")
    return answer, row


async def test_a_key_is_made_and_its_secret_is_shown_once(ann) -> None:
    answer, row = await made(ann, scopes=["orders:read", "events:read"], expires="30")
    secret = SECRET.search(answer.text)[0]
    assert answer.headers["cache-control"] == "no-store"
    assert row["key"] in answer.text
    assert (row["test"], row["merchant_id"]) == (True, ann.merchant_id)
    caller = await api_keys.authenticate(row["key"], secret)
    assert caller.scopes == {"orders:read", "events:read"}
    for path in ("/merchant/keys", "/merchant", "/merchant/guide"):
        assert not SECRET.search((await ann.get(path)).text), path
    with minutes(31 * 24 * 60):
        assert [k.in_use for k in await queries.keys(ann.merchant_id, test=True) if k.kind == "secret"] == [False]
    assert await logged("api_key.issued") == ["api_key.issued"]
    said = await db.fetch_value("SELECT actor || ' ' || details FROM audit_line WHERE action = 'api_key.issued'")
    assert ann.email in said
    assert secret not in said


async def test_a_key_that_cannot_be_made_is_told_beside_its_field_and_what_was_typed_stays(ann) -> None:
    before = await picture(but=("api_key",))
    for fields, words in (
        ({"name": ""}, "Give the key a name"),
        ({"scopes": []}, "Choose from the scopes"),
        ({"scopes": ["orders:read", "everything"]}, "Choose from the scopes"),
        ({"expires": "1"}, "Choose one of the times"),
    ):
        answer = await ann.post("/merchant/keys", {"name": "my name", "scopes": ["orders:read"], **fields})
        assert answer.status_code == 400
        assert words in answer.text
        assert 'value="my name"' in answer.text or "name" in fields
        assert not SECRET.search(answer.text)
    assert await count("api_key") == 1  # the publishable one, which the page itself makes
    assert await picture(but=("api_key",)) == before


async def test_a_rotated_key_goes_on_for_the_overlap_and_a_revoked_one_is_dead_at_once(ann) -> None:
    answer, old = await made(ann)
    first = SECRET.search(answer.text)[0]
    turned = await ann.post(f"/merchant/keys/{old['id']}/rotations", {"overlap": "1"})
    second = SECRET.search(turned.text)[0]
    new = await db.fetch_one("SELECT * FROM api_key WHERE kind = 'secret' AND id <> $1", old["id"])
    await api_keys.authenticate(old["key"], first)
    await api_keys.authenticate(new["key"], second)
    with minutes(61):
        rows = await queries.keys(ann.merchant_id, test=True)
        assert {row.key: row.in_use for row in rows if row.kind == "secret"} == {
            old["key"]: False, new["key"]: True,
        }  # fmt: skip
    assert (await ann.post(f"/merchant/keys/{new['id']}/revocations")).status_code == 303
    rows = await queries.keys(ann.merchant_id, test=True)
    assert [row.in_use for row in rows if row.key == new["key"]] == [False]
    assert await logged("api_key.rotated", "api_key.revoked") == ["api_key.rotated", "api_key.revoked"]


async def test_keys_of_another_merchant_or_mode_are_not_there(ann, eve) -> None:
    _, row = await made(ann)
    await eve.get("/merchant/keys")
    await ann.switch("live")
    await ann.get("/merchant/keys")
    before = await picture(but=LOG)
    for member in (eve, ann):
        for act, fields in (("rotations", {"overlap": "0"}), ("revocations", {})):
            answer = await member.post(f"/merchant/keys/{row['id']}/{act}", fields)
            unknown = await member.post(f"/merchant/keys/{ann.merchant_id}/{act}", fields)
            assert answer.status_code == unknown.status_code == 404
        assert row["key"][:16] not in (await member.get("/merchant/keys")).text
    assert await picture(but=LOG) == before


async def test_origins_are_kept_as_browsers_write_them_and_bad_ones_are_told(ann) -> None:
    typed = "https://Shop.example/\n http://localhost:8000"
    assert (await ann.post("/merchant/origins", {"origins": typed})).status_code == 303
    merchant = await queries.one(ann.merchant_id)
    assert merchant.origins == ["https://shop.example", "http://localhost:8000"]
    before = await picture(but=("api_key",))
    for bad in ("http://shop.example", "https://*.shop.example", "https://shop.example/path", "javascript:x"):
        answer = await ann.post("/merchant/origins", {"origins": bad})
        assert answer.status_code == 400
        assert bad in answer.text
    assert await picture(but=("api_key",)) == before


async def test_the_guide_fills_in_a_key_and_shows_its_secret_in_one_answer(ann) -> None:
    for language in ("curl", "python", "node", "php", "klingon"):
        assert (await ann.get(f"/merchant/guide?in={language}")).status_code == 200
    answer = await ann.post("/merchant/guide/keys", {"in": "python"})
    secret = SECRET.search(answer.text)[0]
    key = await db.fetch_value("SELECT key FROM api_key WHERE kind = 'secret'")
    assert answer.text.count(secret) >= 2
    assert f"&#34;{key}&#34;" in answer.text
    later = (await ann.get("/merchant/guide?in=php")).text
    assert key in later
    assert secret not in later
    await api_keys.authenticate(key, secret)


async def test_the_publishable_key_is_replaced_on_the_keys_page(ann) -> None:
    old = await api_keys.publishable(ann.merchant_id, test=True)
    before = await picture(but=LOG)
    assert (await ann.post("/merchant/publishable-keys/rotations", {"overlap": "5"})).status_code == 400
    assert await picture(but=LOG) == before
    assert (await ann.post("/merchant/publishable-keys/rotations", {"overlap": "0"})).status_code == 303
    new = await api_keys.publishable(ann.merchant_id, test=True)
    page = (await ann.get("/merchant/keys")).text
    assert new in page
    assert old not in page
    assert await queries.by_publishable(old) is None
