"""The admin's list of issues: read, settled by hand where a person decides, and shut to everybody else."""

from uuid import UUID

import pytest

from app.core import db
from app.issues import service as issues
from app.issues.codes import MATTERS, IssueCode, matter
from app.orders.reasons import REASONS, about, open_reason
from tests.web.builders import assert_problem, logged, picture, submit

ORPHAN = IssueCode.PAYMENT_WITHOUT_ORDER  # a person settles it
JSON = {"accept": "application/json"}


async def opened(code: IssueCode = ORPHAN, subject: str = "payment:7", detail: str = "…") -> str:
    await issues.open_issue(subject, code, detail)
    return str(await db.fetch_value("SELECT id FROM issue ORDER BY opened_at DESC, id DESC LIMIT 1"))


async def test_an_open_issue_stands_on_the_overview_and_on_the_list(admin) -> None:
    await opened(IssueCode.PRICE_IMPLAUSIBLE, "product:7", "Offered at <b>0.00</b>")
    for path in ("/admin", "/admin/issues"):
        page = (await admin.get(path)).text
        assert "Price looks wrong" in page
        assert "Offered at &lt;b&gt;0.00&lt;/b&gt;" in page


async def test_marked_as_settled_it_leaves_the_list_and_the_audit_log_says_who(admin) -> None:
    issue_id = await opened()
    for _ in range(2):
        answer = await submit(admin, f"/admin/issues/{issue_id}/resolutions")
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/issues")
    assert "No open issues" in (await admin.get("/admin/issues")).text
    assert await db.fetch_value("SELECT resolved_by FROM issue") == "admin boss@bitloot.test"
    assert (await logged()).count("issue.resolved") == 1


@pytest.mark.parametrize("code", [code for code in IssueCode if matter(code).ends])
async def test_what_its_state_decides_can_not_be_marked_as_resolved(admin, code: IssueCode) -> None:
    issue_id = await opened(code, "rates")
    page = (await admin.get("/admin/issues")).text
    assert (f"/admin/issues/{issue_id}/resolutions" in page, MATTERS[code].ends in page) == (False, True)
    before = await picture()
    assert_problem(await submit(admin, f"/admin/issues/{issue_id}/resolutions", **JSON), 409, "ends_by_itself")
    assert await picture() == before


async def test_a_person_deals_with_a_reason_of_an_order_and_says_how(admin, ready, visitor) -> None:
    order_id = UUID(ready.id)
    await open_reason(order_id, IssueCode.PAYMENT_SENT_BACK, "the payment provider sent the money back")
    await open_reason(order_id, IssueCode.OVERPAID, "overpaid: $1.00 is owed back")
    issue_id = await db.fetch_value("SELECT id FROM issue WHERE code = 'payment_sent_back'")
    where, note = f"/admin/issues/{issue_id}/resolutions", "Asked NOWPayments: <sent> on Friday"
    assert f'action="{where}"' in (await admin.get(f"/admin/orders/{order_id}")).text
    before = await picture()
    assert_problem(await submit(admin, where, {"note": " "}, **JSON), 400, "note_needed", "note")
    assert await picture() == before
    answer = await submit(admin, where, {"note": note})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/orders/{order_id}")
    page = (await admin.get(f"/admin/orders/{order_id}")).text
    assert f'action="{where}"' not in page
    assert "Overpaid: $1.00 is owed back" in page, "the other reason stands"
    assert "sent the money back. Asked NOWPayments: &lt;sent&gt; on Friday" in page
    (line,) = await db.fetch("SELECT actor, details, order_id FROM audit_line WHERE action = 'issue.resolved'")
    assert (line["actor"], note in line["details"], line["order_id"]) == ("admin boss@bitloot.test", True, order_id)
    told = await visitor(**ready.bearer).get(f"/orders/{order_id}")
    said = await db.fetch("SELECT data::text FROM event WHERE subject = $1 AND kind = 'issue.resolved'", order_id)
    assert ["Asked" in text for text in (told.text, *(row["data"] for row in said))] == [False, False], (
        "what staff noted is not for the customer"
    )


async def test_nobody_else_reads_or_settles_one(client, browser_client) -> None:
    issue_id = await opened()
    assert_problem(await client.get("/admin/issues"), 401, "login_needed")
    answer = await submit(browser_client, f"/admin/issues/{issue_id}/resolutions")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/login")
    assert await db.fetch_value("SELECT resolved_at FROM issue") is None


async def test_an_unknown_issue_is_404(admin) -> None:
    answer = await admin.get("/admin/issues", headers={"accept": "application/json"})
    assert answer.json() == {"items": [], "next": None}
    assert (await submit(admin, "/admin/issues/x/resolutions")).status_code == 404


def test_every_code_has_a_title_and_a_later_releases_code_its_own_words() -> None:
    assert set(MATTERS) == set(IssueCode)
    assert set(IssueCode) > REASONS
    assert matter("of_a_later_release").title == "Of a later release"
    assert about(UUID(int=7)) == "order:00000000-0000-0000-0000-000000000007"
