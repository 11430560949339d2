"""The admin's list of issues: read, settled by hand, and shut to everybody else."""

from app.core import db
from app.issues import service as issues
from tests.web.builders import assert_problem, logged, submit


async def test_an_open_issue_stands_on_the_overview_and_on_the_list(admin) -> None:
    await issues.open_issue("product:7", "price_implausible", "Offered at <b>0.00</b>")
    for path in ("/admin", "/admin/issues"):
        page = (await admin.get(path)).text
        assert "Price looks wrong" in page
        assert "Offered at &lt;b&gt;0.00&lt;/b&gt;" in page


async def test_marked_as_settled_it_leaves_the_list_and_the_audit_log_says_who(admin) -> None:
    await issues.open_issue("product:7", "price_implausible", "…")
    issue_id = await db.fetch_value("SELECT id FROM issue")
    for _ in range(2):
        answer = await submit(admin, f"/admin/issues/{issue_id}/resolutions")
        assert (answer.status_code, answer.headers["location"]) == (303, "/admin/issues")
    assert "No open issues" in (await admin.get("/admin/issues")).text
    assert await db.fetch_value("SELECT resolved_by FROM issue") == "admin boss@bitloot.test"
    assert (await logged()).count("issue.resolved") == 1


async def test_nobody_else_reads_or_settles_one(client, browser_client) -> None:
    await issues.open_issue("product:7", "price_implausible", "…")
    issue_id = await db.fetch_value("SELECT id FROM issue")
    assert_problem(await client.get("/admin/issues"), 401, "login_needed")
    answer = await submit(browser_client, f"/admin/issues/{issue_id}/resolutions")
    assert (answer.status_code, answer.headers["location"]) == (303, "/admin/login")
    assert await db.fetch_value("SELECT resolved_at FROM issue") is None


async def test_an_unknown_issue_is_404(admin) -> None:
    answer = await admin.get("/admin/issues", headers={"accept": "application/json"})
    assert answer.json() == {"items": [], "next": None}
    assert (await submit(admin, "/admin/issues/x/resolutions")).status_code == 404
