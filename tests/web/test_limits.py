"""Rate limits: counted per door and caller, said with how long to wait, and never for genuine notices."""

import asyncio

import pytest

from app.accounts import sessions
from app.core import db
from app.core.redis import async_client
from tests.web.builders import (
    EMAIL,
    assert_problem,
    compact,
    count,
    csrf_of,
    logged,
    picture,
    place,
    product,
    tell,
)  # fmt: skip


async def until_limited(ask, most: int = 10) -> list:
    """Answers up to and with the first 429. A window may end in between, so one limit can be met twice."""
    answers = []
    for _ in range(most):
        answers.append(await ask())
        if answers[-1].status_code == 429:
            return answers
    raise AssertionError([answer.status_code for answer in answers])


def assert_limited(answer) -> None:
    assert_problem(answer, 429, "too_many_attempts")
    assert 1 <= int(answer.headers["retry-after"]) <= 60


async def test_orders_beyond_the_limit_are_429_and_not_stored(strict) -> None:
    wanted = {"email": EMAIL, "items": [{"productId": (await product(strict))["productId"], "quantity": 1}]}
    answers = await until_limited(lambda: _order(strict, wanted))
    assert_limited(answers[-1])
    assert len(answers) in {4, 5, 6, 7}
    assert await count("customer_order") == len(answers) - 1
    assert answers[-1].headers["content-security-policy"]


async def _order(strict, wanted):
    strict.cookies.clear()
    return await strict.post("/orders", json=wanted)


async def test_bad_orders_count_too(strict) -> None:
    answers = await until_limited(lambda: strict.post("/orders", json={}))
    assert {answer.status_code for answer in answers[:-1]} == {400}
    assert await count("customer_order") == 0


async def test_payments_and_reveals_are_limited_and_change_nothing_beyond(client, strict, ready) -> None:
    for path, body in (
        ("/payments/create", {"orderId": ready.id}),
        (f"/fulfillment/{ready.id}/reveal", {"itemId": ready.item_id}),
    ):
        answers = await until_limited(lambda p=path, b=body: strict.post(p, json=b, headers=ready.bearer))
        assert_limited(answers[-1])
    reveals = len(await logged("key.revealed"))
    before = await picture()
    path, body = f"/fulfillment/{ready.id}/reveal", {"itemId": ready.item_id}
    assert (await strict.post(path, json=body, headers=ready.bearer)).status_code == 429
    assert await picture() == before
    assert 3 <= reveals <= 6


@pytest.mark.parametrize("door", ["/login", "/orders/lookup"])
async def test_letters_to_one_address_are_limited_and_not_written_beyond(client, strict, drain, door: str) -> None:
    await place(client, email=EMAIL)
    before = await count("mail")
    answers = await until_limited(lambda: strict.post(door, json={"email": EMAIL}))
    assert_limited(answers[-1])
    await drain(only="orders.mail_lookup")
    assert await count("mail") == before + len(answers) - 1


async def test_guessing_the_admins_password_is_limited(strict) -> None:
    token = csrf_of(await strict.get("/login", headers={"accept": "text/html"}))
    fields = {"_csrf_token": token, "email": "boss@bitloot.test", "password": "guess"}
    answers = await until_limited(lambda: strict.post("/admin/login", data=fields))
    assert {answer.status_code for answer in answers[:-1]} == {401}


async def test_a_person_gets_a_page_that_says_how_long_to_wait(strict) -> None:
    token = csrf_of(await strict.get("/login", headers={"accept": "text/html"}))
    fields = {"_csrf_token": token, "email": EMAIL}
    answers = await until_limited(lambda: strict.post("/login", data=fields, headers={"accept": "text/html"}))
    assert "<!doctype html>" in answers[-1].text
    assert "seconds and try again" in answers[-1].text
    assert answers[-1].headers["retry-after"]


async def test_looking_is_not_limited(strict) -> None:
    assert {(await strict.get("/")).status_code for _ in range(20)} == {200}


async def test_genuine_notices_are_never_limited(strict) -> None:
    bodies = [compact({"payment_id": 1, "payment_status": "waiting", "updated_at": n}) for n in range(100)]
    answers = await asyncio.gather(*(tell(strict, body) for body in bodies))
    assert {answer.status_code for answer in answers} == {200}
    assert await count("inbound_webhook") == 100


async def test_behind_a_proxy_only_what_the_proxy_says_counts(strict) -> None:
    """Else every request could claim an address of its own: what stands left of it in the list is hearsay."""
    made_up = (f"198.51.100.{number}, 192.0.2.1" for number in range(100))
    await until_limited(lambda: strict.post("/orders", json={}, headers={"x-forwarded-for": next(made_up)}))
    another = await strict.post("/orders", json={}, headers={"x-forwarded-for": "198.51.100.1, 192.0.2.2"})
    assert another.status_code == 400


async def test_without_a_proxy_a_forwarded_address_is_not_believed(client, ready) -> None:
    headers = ready.bearer | {"x-forwarded-for": "198.51.100.7", "forwarded": "for=198.51.100.7"}
    await client.get(f"/fulfillment/{ready.id}/download-link?itemId={ready.item_id}", headers=headers)
    assert await db.fetch_value("SELECT ip FROM audit_line") == "127.0.0.1"


async def test_a_limit_counts_in_redis_and_starts_anew_when_it_is_wiped(strict) -> None:
    await until_limited(lambda: strict.post("/orders", json={}))
    async with async_client() as redis:
        await redis.flushall()
    assert (await strict.post("/orders", json={})).status_code == 400


XFF = "x-forwarded-for"


async def test_a_caller_with_a_new_port_on_each_call_meets_the_limit(strict) -> None:
    ports = iter(range(50_000, 50_100))
    await until_limited(lambda: strict.post("/orders", json={}, headers={XFF: f"203.0.113.78:{next(ports)}"}))


async def test_a_caller_with_addresses_of_one_ipv6_net_meets_the_limit(strict) -> None:
    hosts = iter(range(1, 100))
    await until_limited(lambda: strict.post("/orders", json={}, headers={XFF: f"[2001:db8:0:5::{next(hosts):x}]:9"}))
    other = await strict.post("/orders", json={}, headers={XFF: "2001:db8:0:6::1"})
    assert other.status_code == 400


async def test_a_second_line_of_the_header_passes_no_limit_and_names_nobody_in_the_audit_log(strict) -> None:
    token = csrf_of(await strict.get("/login", headers={"accept": "text/html"}))
    fields = {"_csrf_token": token, "email": EMAIL, "password": "guess"}
    claims = iter(range(1, 100))

    def ask():
        lines = [(XFF, f"198.51.100.{next(claims)}"), (XFF, "203.0.113.79"), ("accept", "text/html")]
        return strict.post("/admin/login", data=fields, headers=lines)

    await until_limited(ask)
    rows = await db.fetch("SELECT DISTINCT ip FROM audit_line")
    assert [row["ip"] for row in rows] == ["203.0.113.79"]


async def test_sixty_orders_for_one_mailbox_are_a_day_of_few_letters_and_its_owner_can_still_buy(
    client, sparing
) -> None:
    spelt = [f"vi.ctim+{n}@gmail.com" if n % 2 else "VICTIM@googlemail.com" for n in range(12)]
    for email in spelt:
        wanted = {"email": email, "items": [{"productId": (await product(client))["productId"], "quantity": 1}]}
        assert (await _order(sparing, wanted)).status_code == 201
    assert await count("customer_order") == 12
    assert await db.fetch_value("SELECT count(*) FROM mail WHERE kind = 'order_received'") == 4


async def test_a_mailbox_gets_so_many_sign_in_links_a_day_through_whichever_door(sparing) -> None:
    """Four letters a day, two in an hour; signing in and looking orders up share them."""
    said = []
    for number in range(5):
        door = "/orders/lookup" if number % 2 else "/login"
        said.append((await sparing.post(door, json={"email": f"ann+{number}@shop.test"})).status_code)
    assert said == [202, 202, 429, 429, 429]
    assert await count("link") == 2
    async with async_client() as redis:
        await redis.flushall()
    limited = await sparing.post("/login", json={"email": "ann@shop.test"})
    assert_problem(limited, 429, "too_many_attempts")
    assert int(limited.headers["retry-after"]) > 3000
    assert await count("link") == 2


async def test_who_uses_up_a_mailboxs_links_does_not_lock_its_owner_out(sparing) -> None:
    """Strangers ask first: their link works for the owner too, and is not answered with a wait."""
    sent = [await sparing.post("/login", json={"email": "owner@merchant.test"}) for _ in range(4)]
    assert [(one.status_code, one.json()["sent"]) for one in sent] == [(202, True)] * 2 + [(202, False)] * 2
    assert await count("link") == 2
    page = await sparing.post(
        "/orders/lookup", data={"email": "owner@merchant.test", "_csrf_token": csrf_of(await _page(sparing, "/login"))}
    )
    assert "still works: use that one" in page.text
    await db.fetch("UPDATE link SET expires_at = now()")
    assert_problem(await sparing.post("/login", json={"email": "owner@merchant.test"}), 429, "too_many_attempts")
    assert await count("link") == 2


async def test_an_owner_has_links_of_their_own_from_where_they_signed_in_before(sparing) -> None:
    for _ in range(2):
        await sparing.post("/login", json={"email": "owner@merchant.test"})
    await db.fetch("UPDATE link SET used_at = now()")
    assert (await sparing.post("/login", json={"email": "owner@merchant.test"})).status_code == 429
    session = await sessions.begin("owner@merchant.test", "customer", ip="127.0.0.1")
    await sessions.end(session)
    for _ in range(2):
        assert (await sparing.post("/login", json={"email": "owner@merchant.test"})).json() == {"sent": True}
    await db.fetch("UPDATE link SET used_at = now()")
    assert (await sparing.post("/login", json={"email": "owner@merchant.test"})).status_code == 429
    assert await count("link") == 4


async def _page(client, path: str):
    return await client.get(path, headers={"accept": "text/html"})
