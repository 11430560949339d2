"""The admin's first rooms: what needs a person comes first, and the buttons work."""

import json
from datetime import timedelta
from uuid import UUID

import pytest

from app.accounts import service as accounts
from app.core import db
from app.issues.codes import IssueCode
from app.orders.reasons import open_reason
from app.queue import service as jobs
from tests.web.builders import (
    EMAIL,
    LOG,
    PASSWORD,
    assert_problem,
    compact,
    count,
    logged,
    picture,
    place,
    serials,
    submit,
    tell,
)

BOSS = {"email": "boss@bitloot.test", "password": PASSWORD}


@pytest.fixture
async def dead(client) -> dict:
    """The dead letter of a payment that could not be made, and its order."""
    order = await place(client)
    why = "ProviderDown: nowpayments.create_payment: 500: out of order"
    for last in (False, False, True):
        lease = await jobs.claim(UUID(order.job_id))
        await (jobs.dead_letter(lease, why) if last else jobs.reschedule(lease, why, timedelta()))
    return {"job": order.job_id, "attempts": 3, "order": order}


@pytest.fixture
async def needing(client, ready) -> str:
    """An order on the list of what needs a person."""
    await open_reason(UUID(ready.id), IssueCode.FURTHER_DEPOSIT, "paid <b>twice</b>")
    return ready.id


WRONG = (
    ("boss@bitloot.test", "wrong"), ("boss@bitloot.test", ""), ("boss@bitloot.test", PASSWORD + "x"),
    ("boss@bitloot.test", PASSWORD.upper()), ("nobody@bitloot.test", PASSWORD), ("", ""), ("' OR 1=1 --", PASSWORD),
    ("x" * 5000, "y" * 5000), ('"><script>x', "z"), ("a\x00b", "c\x00d"),
)  # fmt: skip


async def test_a_wrong_login_opens_nothing_and_tells_nothing(browser_client) -> None:
    await accounts.create_staff("boss@bitloot.test", PASSWORD)
    before = await picture(but=LOG)
    for email, password in WRONG:
        page = await submit(browser_client, "/admin/login", {"email": email, "password": password})
        assert page.status_code == 401, email[:40]
        assert "That email and password do not match" in page.text
        assert "<script>x" not in page.text
        assert "bitloot_session" not in browser_client.cookies
    assert (await browser_client.get("/admin")).status_code == 303
    assert await picture(but=LOG) == before
    assert await logged() == ["admin.hired", *["admin.login_failed"] * len(WRONG)]


async def test_the_right_login_opens_the_dashboard(browser_client) -> None:
    await accounts.create_staff("boss@bitloot.test", PASSWORD)
    answer = await submit(browser_client, "/admin/login", BOSS | {"email": " BOSS@bitloot.test "})
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin")
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=lax", "max-age=43200"} <= {part.strip() for part in cookie.split(";")}
    assert "All is well" in (await browser_client.get("/admin")).text


async def test_the_password_is_stored_as_an_argon2_hash(admin) -> None:
    row = await db.fetch_one("SELECT * FROM admin")
    assert row["password_hash"].startswith("$argon2id$")
    assert PASSWORD not in str(dict(row))


async def test_the_dashboard_lists_orders_that_need_a_person_and_dead_letters_first(admin, needing, dead) -> None:
    page = (await admin.get("/admin")).text
    assert page.count('class="need"') == 2
    assert f'href="/admin/orders/{needing}"' in page
    assert f'href="/admin/jobs/{dead["job"]}"' in page
    assert "Paid &lt;b&gt;twice&lt;/b&gt;" in page
    assert page.index('class="needs"') < page.index('class="counts"')


async def test_the_list_of_orders_begins_with_what_needs_a_person(admin, needing, client) -> None:
    newer = await place(client)
    page = (await admin.get("/admin/orders")).text
    assert page.index(f"/admin/orders/{needing}") < page.index(f"/admin/orders/{newer.id}")


async def test_orders_are_found_by_state_mail_and_number(admin, ready, client) -> None:
    other = await place(client, email="somebody@else.test")
    for query, found in (("?status=fulfilled", ready), ("?q=SOMEBODY@", other), (f"?q={ready.id[:30]}", ready)):
        page = (await admin.get(f"/admin/orders{query}")).text
        assert page.count('class="row-link') == 1
        assert f"/admin/orders/{found.id}" in page
    part = await admin.get("/admin/orders?q=zzz", headers={"hx-request": "true"})
    assert "<html" not in part.text
    assert "No orders found" in part.text


async def test_an_orders_page_shows_everything_that_belongs_to_it(admin, ready, client) -> None:
    await client.post(f"/fulfillment/{ready.id}/reveal", json={"itemId": ready.item_id}, headers=ready.bearer)
    page = (await admin.get(f"/admin/orders/{ready.id}")).text
    payment = await db.fetch_value("SELECT provider_payment_id FROM payment")
    supplier = await db.fetch_value("SELECT supplier_order_id FROM reservation")
    jobs = [row["id"] for row in await db.fetch("SELECT id FROM job WHERE subject = $1::text::uuid", ready.id)]
    for expected in (EMAIL, payment, supplier, "Key revealed", "Key ready to reveal", "Customer, by the order’s link"):
        assert str(expected) in page, expected
    assert len(jobs) >= 6
    assert all(f"/admin/jobs/{job}" in page for job in jobs)


async def test_no_key_is_on_any_page_of_the_admins(admin, ready, box) -> None:
    [serial] = await serials(box)
    for path in ("/admin", f"/admin/orders/{ready.id}", "/admin/jobs", "/admin/webhooks"):
        assert serial not in (await admin.get(path)).text


async def test_a_dead_letter_shows_its_error_arguments_and_attempts(admin, dead) -> None:
    page = (await admin.get(f"/admin/jobs/{dead['job']}")).text
    assert dead["order"].id in page
    assert "Out of attempts" in page
    assert page.count("ProviderDown") >= dead["attempts"]


async def test_the_retry_button_works_and_keeps_the_history(admin, dead, drain) -> None:
    path = f"/admin/jobs/{dead['job']}/retries"
    answer = await submit(admin, path)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/jobs/{dead['job']}")
    assert await db.fetch_value("SELECT status FROM job WHERE id = $1::text::uuid", dead["job"]) == "pending"
    await drain()
    row = await db.fetch_one("SELECT status, attempt FROM job WHERE id = $1::text::uuid", dead["job"])
    assert tuple(row) == ("completed", dead["attempts"] + 1)
    assert await count("job_attempt") == dead["attempts"] + 1  # and the line that says who sent it round
    assert await db.fetch_value("SELECT status FROM customer_order") == "waiting"


async def test_a_job_that_has_not_failed_can_not_be_retried(admin, dead) -> None:
    await submit(admin, f"/admin/jobs/{dead['job']}/retries")
    before = await picture()
    again = await submit(admin, f"/admin/jobs/{dead['job']}/retries")
    assert again.status_code == 409
    assert "Only a failed job can be retried" in again.text
    assert await picture() == before


async def test_unknown_ids_and_odd_pages_are_not_found_or_passed_over(admin) -> None:
    unknown = "01234567-89ab-7def-8123-456789abcdef"
    for path in (f"/admin/orders/{unknown}", "/admin/orders/x", f"/admin/jobs/{unknown}", "/admin/webhooks/%00"):
        assert (await admin.get(path)).status_code == 404, path
    for query in (
        "page=-1",
        "page=99999",
        "page=x",
        "status=nothing",
        "q=%25",
        "provider=%00",
        "q=" + "x" * 9000,
    ):
        for path in ("/admin/orders", "/admin/jobs", "/admin/webhooks"):
            assert (await admin.get(f"{path}?{query}")).status_code == 200, (path, query)


@pytest.mark.parametrize("query", ["q=%00", "q=a%00b", "q=%00%25"])
async def test_a_search_for_a_nul_is_refused_in_clear_words(admin, query: str) -> None:
    page = await admin.get(f"/admin/orders?{query}")
    assert page.status_code == 400
    assert "contains a NUL character" in page.text
    answer = await admin.get(f"/admin/orders?{query}", headers={"accept": "application/json"})
    assert_problem(answer, 400, "unusable_text")


async def test_json_lists_answer_the_same_rows(admin, dead) -> None:
    said = (await admin.get("/admin/jobs?status=failed", headers={"accept": "application/json"})).json()
    assert [item["id"] for item in said["items"]] == [dead["job"]]
    assert said["counts"]["failed"] == 1
    answer = await admin.get("/admin/jobs/x", headers={"accept": "application/json"})
    assert_problem(answer, 404, "no_such_job")


async def test_webhooks_are_listed_and_shown_as_they_came(admin, client, drain) -> None:
    hostile = '</pre><script>alert("1")</script>'
    body = compact({"payment_id": 1, "payment_status": hostile, "order_id": hostile, "z": "ünï"})
    assert (await tell(client, body)).status_code == 200
    await drain()
    notice = await db.fetch_value("SELECT id FROM inbound_webhook")
    listed = (await admin.get("/admin/webhooks")).text
    shown = await admin.get(f"/admin/webhooks/{notice}")
    assert listed.count('class="row-link') == 1
    assert "<script>alert" not in listed + shown.text
    assert "&lt;/pre&gt;&lt;script&gt;alert(" in shown.text
    said = (await admin.get(f"/admin/webhook-logs/{notice}", headers={"accept": "application/json"})).json()
    assert json.loads(said["body"]) == json.loads(body)


async def test_hostile_names_and_addresses_are_shown_as_text(admin, client, visitor, ready) -> None:
    hostile = "<img src=x onerror=alert(1)>'\""
    await db.fetch("UPDATE order_item SET name = $1", hostile)
    await db.fetch("UPDATE customer_order SET email = $1", f'"{hostile}"@x.test')
    await open_reason(UUID(ready.id), IssueCode.ORDER_NOTE, hostile)
    await db.fetch("UPDATE job SET error = $1, status = 'failed'", hostile)
    await client.get(f"/fulfillment/{ready.id}/audit", headers=ready.bearer | {"user-agent": hostile})
    job = await db.fetch_value("SELECT id FROM job LIMIT 1")
    for path in ("/admin", "/admin/orders", f"/admin/orders/{ready.id}", "/admin/jobs", f"/admin/jobs/{job}"):
        page = await admin.get(path)
        assert page.status_code == 200, path
        assert "<img src=x" not in page.text, path
    for path in ("", "/status", "/success", "/audit"):
        assert "<img src=x" not in (await visitor(**ready.bearer).get(f"/orders/{ready.id}{path}")).text


async def test_the_list_of_jobs_leaves_payment_checks_out_until_they_are_asked_for(admin, ready) -> None:
    job = "SELECT id FROM job WHERE name = $1 AND subject = $2::text::uuid LIMIT 1"
    bought = await db.fetch_value(job, "fulfillment.reserve", ready.id)
    check = await db.fetch_value(
        """UPDATE job SET name = 'payments.check' WHERE id = (SELECT id FROM job WHERE name = 'payments.create' LIMIT 1)
           RETURNING id"""
    )
    for query, shown in (
        ("", (True, False)),
        ("?kind=all", (True, True)),
        ("?kind=payments.check", (False, True)),
        ("?kind=fulfillment.reserve", (True, False)),
        ("?kind=no.such", (True, False)),
    ):
        page = (await admin.get(f"/admin/jobs{query}")).text
        assert (f"/admin/jobs/{bought}" in page, f"/admin/jobs/{check}" in page) == shown, query
    await db.fetch("UPDATE job SET status = 'failed', ended_at = now() WHERE id = $1", check)
    assert f"/admin/jobs/{check}" in (await admin.get("/admin/jobs?status=failed")).text
    assert "/admin/jobs?status=failed&amp;kind=all" in (await admin.get("/admin/jobs?kind=all")).text
