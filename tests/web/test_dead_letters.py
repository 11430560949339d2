"""Dead letters by cause: what each retry would do is shown first, then one, many or all of a cause go round."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from actors.job import JOBS
from app.core import clock, db
from app.core.ids import new_id
from app.fulfillment.models import Reservation
from app.mail.models import LetterState
from app.orders.models import Order
from app.queue import service as jobs
from app.refunds.models import Refund
from app.web.admin import retry_preview
from app.web.admin.retry_preview import Facts
from tests.samples import sample
from tests.web.builders import assert_problem, csrf_of, pay, picture, place

BUSY = "ProviderDown: kinguin.find: … busy"
PREVIEW = "/admin/dead-letters/preview"
RETRIES = "/admin/dead-letters/retries"


async def died(name: str, args: dict[str, Any], error: str, subject: UUID | None = None) -> str:
    job_id = await jobs.post(name, args, subject=subject)
    assert job_id is not None
    lease = await jobs.claim(job_id)
    assert lease is not None
    await jobs.dead_letter(lease, error)
    return str(job_id)


@pytest.fixture
async def letters(app) -> list[str]:
    """Two of one cause, one of another."""
    errors = ["ProviderDown: kinguin.find: 503: busy", "ProviderDown: kinguin.find: 500: busy", "ZeroDivisionError"]
    return [await died("maintenance.purge", {"number": n}, error) for n, error in enumerate(errors)]


async def send(admin: httpx.AsyncClient, page: httpx.Response, **change: str) -> httpx.Response:
    """Press the button of a preview, as a browser without JavaScript does."""
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    fields: dict[str, list[str]] = {"_csrf_token": [csrf_of(page)]}
    for name, value in hidden:
        if name != "_csrf_token":
            fields.setdefault(name, []).append(value)
    return await admin.post(RETRIES, data=fields | {name: [value] for name, value in change.items()})


async def states() -> list[str]:
    return [
        row["status"] for row in await db.fetch("SELECT status FROM job WHERE name = 'maintenance.purge' ORDER BY id")
    ]


async def test_they_are_counted_by_what_they_died_of(admin, letters) -> None:
    page = (await admin.get("/admin/dead-letters")).text
    assert page.count('class="row-link mono"') == 2
    assert BUSY in page
    counts = re.findall(r'<td class="num to-right">(\d+)</td>', page)
    assert sorted(counts) == ["1", "2"]
    said = (await admin.get("/admin/dead-letters", headers={"accept": "application/json"})).json()
    assert {(g["cause"], g["count"]) for g in said["groups"]} == {(BUSY, 2), ("ZeroDivisionError", 1)}


async def test_a_group_lists_its_letters_to_choose_from(admin, letters) -> None:
    page = (await admin.get("/admin/dead-letters", params={"name": "maintenance.purge", "cause": BUSY})).text
    assert [i for i in letters if f'name="id" value="{i}"' in page] == letters[:2]


async def test_the_dashboard_leads_there(admin, letters) -> None:
    assert 'href="/admin/dead-letters"' in (await admin.get("/admin")).text


async def test_a_preview_is_read_only_and_says_what_each_would_do(admin, letters) -> None:
    before = await picture()
    page = await admin.get(PREVIEW, params={"id": letters[:2]})
    assert page.text.count("Deletes finished jobs") == 2
    assert await picture() == before


async def test_the_chosen_alone_go_round_with_who_and_when(admin, letters) -> None:
    page = await admin.get(PREVIEW, params={"id": letters[1:]})
    answer = await send(admin, page)
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/dead-letters")
    assert await states() == ["failed", "pending", "pending"]
    said = [r["error"] for r in await db.fetch("SELECT error FROM job_attempt WHERE outcome = 'retried'")]
    assert said == ["retried by admin boss@bitloot.test"] * 2
    assert await db.fetch_value("SELECT count(*) FROM job_attempt WHERE outcome = 'failed'") == 3
    assert (
        await db.fetch_value("SELECT actor FROM audit_line WHERE action = 'job.retried'") == "admin boss@bitloot.test"
    )
    shown = (await admin.get(f"/admin/jobs/{letters[1]}")).text
    assert "retried by admin boss@bitloot.test" in shown
    assert "ProviderDown" in shown


async def test_all_of_a_cause_go_round_but_not_those_that_died_after_it_was_shown(admin, letters) -> None:
    page = await admin.get(PREVIEW, params={"name": "maintenance.purge", "cause": BUSY})
    with clock.travelled(timedelta(minutes=1)):
        await died("maintenance.purge", {"number": 9}, "ProviderDown: kinguin.find: 502: busy")
    await send(admin, page)
    assert await states() == ["pending", "pending", "failed", "failed"]


async def test_all_of_them_go_round(admin, letters) -> None:
    page = await admin.get(PREVIEW)
    assert "Retry all 3" in page.text
    await send(admin, page)
    assert await states() == ["pending"] * 3


async def test_a_second_press_does_nothing_more(admin, letters) -> None:
    page = await admin.get(PREVIEW)
    await send(admin, page)
    before = await db.fetch_value("SELECT count(*) FROM job_attempt")
    assert (await send(admin, page)).status_code == 303
    assert await db.fetch_value("SELECT count(*) FROM job_attempt") == before


async def test_nothing_chosen_is_said_and_sends_nothing(admin, letters) -> None:
    page = await admin.get("/login")
    answer = await admin.post(RETRIES, data={"_csrf_token": csrf_of(page)}, headers={"accept": "application/json"})
    assert_problem(answer, 400, "nothing_chosen", "id")
    assert await states() == ["failed"] * 3


async def test_nobody_else_sees_or_sends_them(letters, visitor, browser_client) -> None:
    before = await picture()
    for path in ("/admin/dead-letters", PREVIEW):
        assert (await browser_client.get(path)).status_code == 303
    stranger = visitor("application/json")
    assert (await stranger.post(RETRIES, json={})).status_code in {401, 403}
    page = await browser_client.get("/login")
    answer = await browser_client.post(RETRIES, data={"_csrf_token": csrf_of(page), "everything": "yes"})
    assert answer.status_code in {303, 401}
    assert await picture() == before


async def test_without_the_forms_token_nothing_is_sent(admin, letters) -> None:
    before = await picture()
    assert (await admin.post(RETRIES, data={"everything": "yes"})).status_code == 403
    assert await picture() == before


async def test_odd_questions_are_answered_with_nothing(admin, letters) -> None:
    for query in ({"id": "x"}, {"id": str(new_id())}, {"name": "x\x00y"}, {"cause": "no name"}, {"name": "a" * 999}):
        for path in (PREVIEW, "/admin/dead-letters"):
            assert (await admin.get(path, params=query)).status_code == 200, (path, query)


ORDER = sample(Order, status="paid")
RESERVE = [
    ("requested", {"asked_at": None}, "checks at the supplier first, then buys"),
    (
        "requested",
        {"asked_at": clock.now()},
        "the answer was lost: checks at Kinguin first, and buys only if nothing is there",
    ),
    ("reserved", {}, "Order PHS84 exists at Kinguin: will not buy again."),
    ("ready", {}, "will not buy again"),
    ("delivered", {}, "will not buy again"),
    ("out_of_stock", {}, "Does nothing"),
    ("cancelled", {}, "Does nothing"),
    ("refunded", {}, "Does nothing"),
]


@pytest.mark.parametrize(("status", "more", "words"), RESERVE)
def test_a_dead_reserve_says_whether_it_would_buy(status: str, more: dict[str, Any], words: str) -> None:
    reservation = sample(Reservation, status=status, supplier="kinguin", supplier_order_id="PHS84", **more)
    assert words in retry_preview.reserve(Facts(order=ORDER, reservation=reservation))


def test_a_reserve_of_an_order_that_is_not_paid_any_more_buys_nothing() -> None:
    waiting = sample(Reservation, status="requested")
    for order in (sample(Order, status="refunded"), sample(Order, status="paid", frozen_at=clock.now())):
        assert "Does nothing" in retry_preview.reserve(Facts(order=order, reservation=waiting))
    assert retry_preview.reserve(Facts()) == retry_preview.GONE
    assert "then buys" in retry_preview.reserve(Facts(order=ORDER))


def test_a_dead_letter_says_whether_its_mail_went_out() -> None:
    young, old = timedelta(hours=1), timedelta(hours=30)
    said = {
        (status, age): retry_preview.letter(Facts(mail=sample(LetterState, status=status), age=age))
        for status in ("sent", "pending", "waiting", "failed")
        for age in (young, old)
    }
    assert said["sent", young] == said["sent", old] == "Mail was sent already: sends nothing."
    assert "not sent twice" in said["pending", young]
    assert "a second time" in said["pending", old]
    assert "If it is still of use, sends the mail" in said["waiting", young]
    assert "a second time" in said["waiting", old]
    assert "Does nothing" in said["failed", young]


def test_a_refund_says_whether_money_may_leave() -> None:
    def said(**refund: Any) -> str:
        return retry_preview.refund(Facts(refund=sample(Refund, **{"status": "processing"} | refund)))

    assert "requests the payout" in said()
    assert "looks for that payout first" in said(asked_at=clock.now())
    assert "nothing out a second time" in said(payout_id="77")
    assert "Does nothing" in said(status="processed")


@pytest.mark.parametrize("name", sorted(JOBS))
def test_every_job_says_what_it_would_do(name: str) -> None:
    assert name in retry_preview.JOBS


async def test_the_sentences_are_true_of_the_rows_there_are(client, admin, drain, box) -> None:
    """Each job of a fulfilled order, dead and shown: none would buy, charge or send anything again."""
    order = await place(client)
    await drain()
    await pay(client, box, order)
    await drain()
    await db.fetch("UPDATE job SET status = 'failed', error = 'x', ended_at = now() WHERE subject IS NOT NULL")
    rows = await db.fetch("SELECT id, name, args::text AS args FROM job WHERE status = 'failed'")
    said = {row["name"]: row for row in rows}
    page = (await admin.get(PREVIEW)).text
    assert {"fulfillment.reserve", "fulfillment.check", "fulfillment.collect", "mail.send"} <= set(said)
    assert "exists at Kinguin: will not buy again." in page
    assert "Mail was sent already: sends nothing." in page
    assert "the reservation is delivered already" in page
    before = (len(await box.orders()), len(await box.mail()))
    await send(admin, await admin.get(PREVIEW))
    await drain(later=True)
    assert (len(await box.orders()), len(await box.mail())) == before


async def test_arguments_that_make_no_sense_are_said_and_break_no_page(admin, app) -> None:
    await died("fulfillment.reserve", {"item_id": "nonsense"}, "ValueError")
    await died("mail.send", {}, "KeyError")
    await died("gone.verb", {}, "KeyError")
    page = await admin.get(PREVIEW)
    assert page.status_code == 200
    assert page.text.count("make no sense") == 2
    assert retry_preview.UNKNOWN in page.text
