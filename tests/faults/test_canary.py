"""Known keys go the whole way, through errors at every step; then they are found nowhere but with their owners."""

import asyncio
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from dev.environment import until
from dev.up_environment import UpEnvironment
from tests.faults import rests
from tests.journeys.shopper import Shopper
from tests.spellings import Search, spellings

LETTERS = 3


class Canaries:
    """The orders whose keys are looked for, and all that the shop answered about them when something was wrong."""

    def __init__(self, env: UpEnvironment, orders: list[Shopper]) -> None:
        self.env, self.orders = env, orders
        self.shown: list[str] = []
        self.refusals: dict[str, bytes] = {}

    async def keys(self) -> list[str]:
        """From the supplier's own books."""
        return [key["serial"] for order in self.orders for one in await order.supplied() for key in one["keys"]]

    async def is_refused(self, order: Shopper, why: str, *statuses: int) -> None:
        """Ask for the order's keys as JSON and as a page; keep what comes instead."""
        item = (await order.status())["items"][0]["itemId"]
        for accept in ("application/json", "text/html"):
            answer = await self.env.http.post(
                f"/fulfillment/{order.order_id}/reveal",
                json={"itemId": item},
                headers=order.bearer | {"Accept": accept},
            )
            assert answer.status_code in statuses, (why, answer.text)
            self.refusals[f"{why} {accept}"] = str(answer.headers).encode() + answer.content


async def picture_product(env: UpEnvironment) -> dict[str, Any]:
    """A product whose keys come as pictures."""
    (product,) = await env.products(1)
    await env.box.set_product(product["supplier_product_id"], image=True, textStock=0)
    await env.rows("UPDATE product SET text_keys = false WHERE id = $1", product["id"])
    return product


async def through_faults(env: UpEnvironment) -> Canaries:
    """Two orders of text keys, one of a picture; every provider fails on the way, the object store too."""
    blobs, aside = env.var / "blobs", env.var / "blobs-aside"
    picture = await picture_product(env)
    orders = [await Shopper.orders(env, 2), await Shopper.orders(env), await Shopper.orders(env, products=[picture])]
    await asyncio.gather(*(order.payment_id() for order in orders))
    for provider, mode, path in (
        ("kinguin", "error500", "/keys"), ("kinguin", "html_garbage", "/keys"), ("resend", "error500", ""),
    ):  # fmt: skip
        await env.box.fault(provider, mode, path=path, count=1)
    if blobs.exists():
        blobs.rename(aside)
    blobs.write_text("a file where the store's folder was: nothing can be put")
    try:
        await asyncio.gather(*(order.pays() for order in orders))
        await until(lambda: _put_failed(env, orders), "sealing met the broken store", seconds=40)
    finally:
        blobs.unlink()
        if aside.exists():
            aside.rename(blobs)
    await asyncio.gather(*(order.reaches("fulfilled", seconds=60) for order in orders))
    return Canaries(env, orders)


async def _put_failed(env: UpEnvironment, orders: list[Shopper]) -> bool:
    sql = """SELECT 1 FROM job_attempt a JOIN job j ON j.id = a.job_id
             WHERE j.name = 'fulfillment.collect' AND j.subject = ANY($1::uuid[]) AND a.error LIKE '%storage%'"""
    return bool(await env.rows(sql, [order.order_id for order in orders]))


async def with_everything_broken(canaries: Canaries) -> None:
    """Reveals that fail: a bent blob, a table that is gone just when the opened key is to be written down."""
    env, (first, second, _) = canaries.env, canaries.orders
    rows = await env.rows("SELECT blob FROM sealed_key WHERE order_id = $1::uuid", second.order_id)
    blob = env.var / "blobs" / rows[0]["blob"]
    genuine = blob.read_bytes()
    blob.write_bytes(genuine[:-1] + bytes([genuine[-1] ^ 1]))
    await canaries.is_refused(second, "a bent blob", 503)
    blob.write_bytes(genuine)
    await env.rows("ALTER TABLE audit_head RENAME TO audit_head_away")
    try:
        await canaries.is_refused(first, "no audit log", 500)
    finally:
        await env.rows("ALTER TABLE audit_head_away RENAME TO audit_head")
    for path in (f"/fulfillment/{first.order_id}/reveal", f"/orders/{first.order_id}"):
        answer = await env.http.post(path, json={"itemId": "x"})
        canaries.refusals[f"POST {path}"] = answer.content


@pytest.fixture(scope="module")
async def canaries(env: UpEnvironment) -> Canaries:
    found = await through_faults(env)
    await with_everything_broken(found)
    for order in (found.orders[0], found.orders[2]):
        found.shown += await order.reveals()

    async def all_written() -> bool:
        return all([len(await order.letters()) >= LETTERS for order in found.orders])

    await until(all_written, "every letter was sent", seconds=40)
    return found


async def pages(canaries: Canaries) -> dict[str, bytes]:
    """What owners and admins see of the orders, before and after the reveal."""
    env, found = canaries.env, dict[str, bytes]()
    for order in canaries.orders:
        base = f"/orders/{order.order_id}"
        found |= await rests.said(
            env, base, f"{base}/audit", f"{base}/success", **order.bearer | {"Accept": "text/html"}
        )
        found |= await rests.said(env, f"/fulfillment/{order.order_id}/status", **order.bearer)
    email, password = env.admin
    form = await env.http.get("/admin/login")
    csrf = re.search(r'name="_csrf_token" value="([0-9a-f]+)"', form.text)
    assert csrf is not None
    cookie = form.headers["set-cookie"].partition(";")[0]
    fields = {"_csrf_token": csrf[1], "email": email, "password": password}
    signed_in = await env.http.post("/admin/login", data=fields, headers={"Cookie": cookie})
    assert signed_in.status_code == 303, signed_in.text
    session = {"Cookie": signed_in.headers["set-cookie"].partition(";")[0], "Accept": "text/html"}
    jobs = await env.rows("SELECT id FROM job WHERE name = 'fulfillment.collect' ORDER BY created_at DESC LIMIT 8")
    own = [f"/admin/orders/{order.order_id}" for order in canaries.orders]
    rooms = ["/admin", "/admin/audit", "/admin/webhooks", "/admin/jobs", *(f"/admin/jobs/{job['id']}" for job in jobs)]
    return found | await rests.said(env, *own, *rooms, **session)


async def test_known_keys_are_found_nowhere_but_with_their_owners(canaries: Canaries) -> None:
    keys = await canaries.keys()
    assert len(keys) == 4
    assert sorted(canaries.shown) == sorted(set(canaries.shown) & set(keys))
    assert len(canaries.shown) == 3
    find = Search(keys)
    kept = await rests.everything(canaries.env) | await pages(canaries) | canaries.refusals
    for part in ("sealed_key as text", "sealed_key as binary", "logs/web.log", "logs/worker.log", "logs/clock.log"):
        assert any(name.endswith(part) and kept[name] for name in kept), part
    for part in ("redis on disk", "blobs/keys/", "letter ", "GET /metrics", "GET /admin/orders", "redis.log", "pg_wal"):
        assert any(part in name for name in kept), part
    assert b"bitloot_reveals_total" in kept["GET /metrics"]
    assert b"key.broken" in kept["logs/web.log"]
    assert b"request.broken" in kept["logs/web.log"]
    assert {name: found for name, text in kept.items() if (found := find.in_(text))} == {}


async def test_the_search_would_find_a_key_wherever_one_was_planted(canaries: Canaries, tmp_path: Path) -> None:
    """In every spelling in a copy of the files; in the database, as text and as bytes; and in Redis."""
    env, (key, *_) = canaries.env, await canaries.keys()
    find = Search([key])
    shutil.copytree(env.var / "logs", tmp_path / "logs")
    for number, spelt in enumerate(sorted(spellings(key))):
        with (tmp_path / "logs" / "web.log").open("ab") as log:
            log.write(b'{"event": "' + spelt + b'"}\n')
        assert find.in_(rests.files(tmp_path)["logs/web.log"]), spelt
        (tmp_path / "logs" / "web.log").write_bytes(b"")
        assert number < 200
    redis = rests.redis_of(env)
    redis.set("canary", f"value {key}")
    try:
        assert sum(bool(find.in_(text)) for text in (await asyncio.to_thread(rests.cache, env)).values()) == 2
    finally:
        redis.delete("canary")


async def test_the_dump_would_show_a_key_in_any_table(canaries: Canaries) -> None:
    env, (key, *_) = canaries.env, await canaries.keys()
    find = Search([key])
    planted = {"in words": f"SELECT 'the key is {key}' AS said", "as bytes": f"SELECT '{key}'::bytea AS said"}
    planted["in jsonb"] = f"SELECT jsonb_build_object('keys', jsonb_build_array('{key.lower()}')) AS said"
    for name, query in planted.items():
        await env.rows(f"CREATE TABLE canary AS {query}")
        try:
            found = {table for table, text in (await rests.database(env)).items() if find.in_(text)}
        finally:
            await env.rows("DROP TABLE canary")
        assert found == {"public.canary as text", "public.canary as binary"}, name
