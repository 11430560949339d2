"""The admin's rooms are shut for everybody else."""

import pytest

from app.accounts import service as accounts
from app.accounts import sessions
from app.accounts.tokens import Session, session_token
from app.core import clock, db, tokens
from app.core.ids import new_id
from tests.web.builders import IPN, PASSWORD, assert_problem, compact, csrf_of, picture, session_of, sign, submit
from tests.web.intruders import YEAR, cookie

NOTICE = compact({"payment_id": 1, "payment_status": "waiting", "order_id": "x"})


@pytest.fixture
async def rooms(client, ready) -> list[str]:
    """Every page of the admin's, with ids that exist."""
    await client.post(IPN, content=NOTICE, headers={"x-nowpayments-sig": sign(NOTICE)})
    notice = await db.fetch_value("SELECT id FROM inbound_webhook LIMIT 1")
    job = await db.fetch_value("SELECT id FROM job LIMIT 1")
    reservation = await db.fetch_value("SELECT id FROM reservation LIMIT 1")
    return [
        "/admin", "/admin/orders", f"/admin/orders/{ready.id}", "/admin/jobs", f"/admin/jobs/{job}", "/admin/webhooks",
        f"/admin/webhooks/{notice}", "/admin/webhook-logs", f"/admin/webhook-logs/{notice}",
        f"/kinguin/status/{reservation}", "/admin/audit", f"/admin/key-audit/{ready.id}",
    ]  # fmt: skip


async def outsiders() -> dict[str, dict[str, str]]:
    await accounts.create_staff("left@bitloot.test", PASSWORD)
    ended = await accounts.log_in("left@bitloot.test", PASSWORD)
    await sessions.end_all(ended.email, ended.role)
    with clock.travelled(-YEAR):
        expired = await session_of("left@bitloot.test", "admin", epoch=1)
    held = {
        "a customer": await session_of("left@bitloot.test"),
        "an ended session": session_token(ended),
        "an expired session": expired,
        "a session of before the last sign-out": await session_of("left@bitloot.test", "admin"),
        "an admin who does not exist": await session_of("nobody@bitloot.test", "admin"),
        "a session without a row": session_token(Session(new_id(), "left@bitloot.test", "admin")),
        "a session that names no row": tokens.sign("session", {"sub": "left@bitloot.test", "role": "admin"}, YEAR),
    }
    return {"nobody": {}} | {name: cookie("session", token) for name, token in held.items()}


async def test_pages_lead_outsiders_to_the_login_and_json_is_401(visitor, rooms) -> None:
    browser, found = visitor(), await outsiders()
    before = await picture()
    for name, headers in found.items():
        for room in rooms:
            browser.cookies.clear()
            if not room.startswith("/kinguin"):
                page = await browser.get(room, headers=headers)
                assert (page.status_code, page.headers["location"]) == (303, "/admin/login"), (name, room)
            answer = await browser.get(room, headers={"accept": "application/json", **headers})
            assert_problem(answer, 401, "login_needed")
    assert await picture() == before


async def test_an_unknown_room_tells_outsiders_no_more_than_a_known_one(visitor, rooms) -> None:
    browser = visitor("application/json")
    for room in ("/admin/orders/x", "/admin/jobs/x", "/admin/webhooks/x", "/kinguin/status/x"):
        assert_problem(await browser.get(room), 401, "login_needed")


async def test_an_outsiders_button_does_nothing(visitor, ready) -> None:
    job = await db.fetch_value("UPDATE job SET status = 'failed' WHERE name = 'payments.create' RETURNING id")
    found = await outsiders()
    before = await picture()
    for headers in found.values():
        browser = visitor()
        token = csrf_of(await browser.get("/login"))
        csrf = f"bitloot_csrf={browser.cookies['bitloot_csrf']}"
        cookies = {"cookie": "; ".join(filter(None, (headers.get("cookie"), csrf)))}
        browser.cookies.clear()
        for path in (f"/admin/jobs/{job}/retries", f"/admin/orders/{ready.id}/items/{ready.item_id}/retries"):
            answer = await browser.post(path, data={"_csrf_token": token}, headers=cookies)
            assert (answer.status_code, answer.headers["location"]) == (303, "/admin/login")
    assert await picture() == before


async def test_anybody_may_ask_for_a_paths_methods_and_learns_nothing_else(visitor) -> None:
    before = await picture()
    for path in (
        "/admin/jobs",
        "/merchant/keys",
        "/account/devices",
        f"/orders/{new_id()}",
        f"/orders/{new_id()}/email",
    ):
        answer = await visitor().request("OPTIONS", path)
        assert (answer.status_code, answer.content) == (204, b""), path
        assert "GET" in answer.headers["allow"]
    assert await picture() == before


async def test_the_admin_may_enter_every_room(admin, rooms) -> None:
    for room in rooms:
        page = await admin.get(room)
        assert page.status_code == 200, (room, page.text[:400])
        answer = await admin.get(room, headers={"accept": "application/json"})
        assert answer.status_code == 200, room


async def test_signing_out_ends_every_session_of_that_admin(admin, visitor) -> None:
    elsewhere = visitor()
    await submit(elsewhere, "/admin/login", {"email": "boss@bitloot.test", "password": PASSWORD})
    assert (await elsewhere.get("/admin")).status_code == 200
    assert (await submit(admin, "/admin/logout")).headers["location"] == "/admin/login"
    assert (await admin.get("/admin")).status_code == 303
    assert (await elsewhere.get("/admin")).status_code == 303


async def test_an_ended_admin_session_cannot_end_the_new_one(admin, visitor) -> None:
    stale = admin.cookies["bitloot_session"]
    await submit(admin, "/admin/logout")
    await submit(admin, "/admin/login", {"email": "boss@bitloot.test", "password": PASSWORD})
    attacker = visitor()
    attacker.cookies.set("bitloot_session", stale)
    await submit(attacker, "/admin/logout")
    assert (await admin.get("/admin")).status_code == 200
