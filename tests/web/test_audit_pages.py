"""The audit log as admins and owners see it; every denial and every act of an admin is in it."""

import json

import pytest

from app.audit import bundle
from app.audit import service as audit
from app.core import db
from tests.audit.builders import forge, written
from tests.web.builders import PASSWORD, assert_problem, count, csrf_of, logged, place, submit
from tests.web.intruders import UNKNOWN

JSON = {"accept": "application/json"}


async def last() -> tuple[str, str, str]:
    row = await db.fetch_one("SELECT action, actor, details FROM audit_line ORDER BY seq DESC LIMIT 1")
    assert row is not None
    return tuple(row)


async def test_signing_in_failing_to_and_signing_out_are_written_down(admin, visitor) -> None:
    browser = visitor()
    await submit(browser, "/admin/login", {"email": "boss@bitloot.test", "password": "a wrong password"})
    assert await last() == ("admin.login_failed", "a stranger", "as boss@bitloot.test")
    await submit(browser, "/admin/login", {"email": "boss@bitloot.test", "password": PASSWORD})
    assert await last() == ("admin.logged_in", "admin boss@bitloot.test", "")
    await submit(browser, "/admin/logout")
    assert (await last())[:2] == ("admin.logged_out", "admin boss@bitloot.test")
    stored = str([tuple(row) for row in await db.fetch("SELECT * FROM audit_line")])
    assert "a wrong password" not in stored
    assert PASSWORD not in stored


async def test_a_password_typed_into_the_wrong_field_is_not_kept(visitor) -> None:
    await submit(visitor(), "/admin/login", {"email": "my-secret-password", "password": ""})
    assert (await last())[::2] == ("admin.login_failed", "")


async def test_an_admins_retry_and_its_line_commit_together(admin, client, drain) -> None:
    order = await place(client)
    await db.fetch("UPDATE job SET status = 'failed' WHERE id = $1::text::uuid", order.job_id)
    path = f"/admin/jobs/{order.job_id}/retries"
    assert (await submit(admin, path)).status_code == 303
    assert await last() == ("job.retried", "admin boss@bitloot.test", f"payments.create {order.job_id}")
    before = await count("audit_line")
    assert (await submit(admin, path)).status_code == 409
    assert await count("audit_line") == before


async def test_who_asks_for_another_ones_order_is_written_down_with_what_was_asked(visitor, ready) -> None:
    stranger = visitor("application/json", **{"user-agent": "Nosy/1.0"})
    await stranger.get(f"/orders/{ready.id}")
    await stranger.post(f"/fulfillment/{ready.id}/reveal", json={"itemId": ready.item_id})
    await stranger.get(f"/orders/{UNKNOWN}")
    rows = await db.fetch("SELECT action, order_id::text, actor, user_agent, details FROM audit_line ORDER BY seq")
    assert [tuple(row) for row in rows] == [
        ("order.denied", ready.id, "a stranger", "Nosy/1.0", "GET /orders/{order_id}"),
        ("order.denied", ready.id, "a stranger", "Nosy/1.0", "POST /fulfillment/{order_id}/reveal"),
        ("order.denied", UNKNOWN, "a stranger", "Nosy/1.0", "GET /orders/{order_id}"),
    ]


async def test_its_owner_sees_who_asked_and_was_refused(visitor, ready) -> None:
    await visitor(**{"user-agent": "Nosy/1.0"}).get(f"/orders/{ready.id}")
    page = await visitor(**ready.bearer).get(f"/orders/{ready.id}/audit")
    assert "Tried to open this order" in page.text
    assert "Someone else" in page.text
    assert ">Nosy</td>" in page.text


async def test_what_admins_do_with_an_order_is_for_admins(admin, client, visitor) -> None:
    order = await place(client)
    await db.fetch("UPDATE job SET status = 'failed' WHERE id = $1::text::uuid", order.job_id)
    await submit(admin, f"/admin/jobs/{order.job_id}/retries")
    assert "Job retried" in (await admin.get(f"/admin/orders/{order.id}")).text
    owner = await client.get(f"/fulfillment/{order.id}/audit", headers=order.bearer)
    assert owner.json() == {"entries": []}
    assert "boss@" not in (await visitor(**order.bearer).get(f"/orders/{order.id}/audit")).text


async def test_the_list_shows_the_newest_first_and_one_orders_lines_where_asked(admin, ready, client, visitor) -> None:
    await written(60)
    await client.post(f"/fulfillment/{ready.id}/reveal", json={"itemId": ready.item_id}, headers=ready.bearer)
    page = (await admin.get("/admin/audit")).text
    assert page.index("Key revealed") < page.index("Customer 60@a.test") < page.index("Customer 59@a.test")
    assert "Customer 2@a.test" not in page
    assert "Customer 2@a.test" in (await admin.get("/admin/audit?page=2")).text
    one = (await admin.get(f"/admin/audit?order={ready.id}")).text
    assert ready.id[-8:].upper() in one
    assert "customer" not in one.partition("<tbody>")[2].partition("</tbody>")[0]
    for nothing in (UNKNOWN, "x", "%00", "'"):
        assert "No entries about this order." in (await admin.get(f"/admin/audit?order={nothing}")).text


async def test_the_json_twins_have_the_same_lines(admin, ready, client) -> None:
    await client.post(f"/fulfillment/{ready.id}/reveal", json={"itemId": ready.item_id}, headers=ready.bearer)
    said = (await admin.get(f"/admin/key-audit/{ready.id}", headers=JSON)).json()
    assert said["orderId"] == ready.id
    [entry] = said["entries"]
    assert entry["action"] == "key.revealed"
    names = {"seq", "at", "action", "orderId", "keyId", "actor", "ip", "userAgent", "details"}
    assert set(entry) == names
    assert (await admin.get(f"/admin/audit?order={ready.id}", headers=JSON)).json() == {"items": [entry]}
    assert (await admin.get(f"/admin/key-audit/{UNKNOWN}", headers=JSON)).json()["entries"] == []
    assert_problem(await admin.get("/admin/key-audit/x", headers=JSON), 404, "order_not_found")


async def test_the_export_is_a_button_whose_file_verifies(admin, ready, client) -> None:
    await client.post(f"/fulfillment/{ready.id}/reveal", json={"itemId": ready.item_id}, headers=ready.bearer)
    page = await admin.get("/admin/audit")
    key = bundle.public_text(audit.signing_key())
    assert key in page.text
    file = await admin.post("/admin/audit/exports", data={"_csrf_token": csrf_of(page)})
    assert file.status_code == 200
    assert file.headers["content-disposition"].startswith('attachment; filename="bitloot-audit-')
    lines = file.content.splitlines(keepends=True)
    assert bundle.verify(lines, key).seq == await count("audit_line")
    assert [json.loads(line)["action"] for line in lines[:-1]] == await logged()
    assert (await last())[:2] == ("audit.exported", "admin boss@bitloot.test")
    assert (await admin.get("/admin/audit/exports")).status_code == 405


async def test_a_log_that_was_tampered_with_is_not_handed_out_signed(admin) -> None:
    await written(5)
    await forge("UPDATE audit_line SET ip = '198.51.100.1' WHERE seq = 3")
    answer = await submit(admin, "/admin/audit/exports", accept="application/json")
    said = assert_problem(answer, 409, "chain_broken")
    assert said["detail"] == "Line 3 was changed or added: its digest is not ours. Nothing was signed."
    assert "audit.exported" not in await logged()


@pytest.mark.parametrize("path", ["/admin/audit", f"/admin/key-audit/{UNKNOWN}"], ids=["all", "one"])
async def test_it_is_for_admins_alone(visitor, ready, path: str) -> None:
    for client in (visitor(**JSON), visitor(**JSON, **ready.bearer)):
        assert_problem(await client.get(path), 401, "login_needed")
    assert_problem(await submit(visitor(), "/admin/audit/exports", **JSON), 401, "login_needed")
    assert await count("audit_line") == 0


async def test_an_orders_page_is_quick_and_writes_nothing_beside_a_long_log(visitor, ready) -> None:
    await db.fetch(
        """INSERT INTO audit_line (seq, at, action, order_id, actor, ip, user_agent, details, previous, digest)
           SELECT n, now(), 'order.denied', $1::text::uuid, '', '', '', '', '', '' FROM generate_series(1, 3000) n""",
        ready.id,
    )
    owner = visitor(**ready.bearer)
    assert (await owner.get(f"/orders/{ready.id}")).status_code == 200
    assert await count("audit_line") == 3000
    page = await owner.get(f"/orders/{ready.id}/audit")
    assert page.text.count("Tried to open this order") == 500
