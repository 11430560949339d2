"""``bitloot issues``: what needs a person, and saying that it is settled."""

from uuid import uuid4

from app.core import db
from app.issues import service as issues
from app.issues.codes import IssueCode
from app.orders.reasons import about, open_reason
from tests.builders import place, rows


async def opened() -> str:
    return str(await db.fetch_value("SELECT id FROM issue ORDER BY opened_at DESC, id DESC LIMIT 1"))


async def test_open_issues_are_listed_a_line_each_and_settled_ones_not(app, bitloot) -> None:
    await issues.open_issue("payment:7", IssueCode.PAYMENT_WITHOUT_ORDER, "Nobody's money")
    issue = await opened()
    [line] = (await bitloot("issues", "list")).stdout.splitlines()
    assert line.startswith(issue)
    assert line.endswith("payment_without_order    payment:7  Nobody's money")
    assert (await bitloot("issues", "resolve", issue)).stdout == "Resolved.\n"
    assert (await bitloot("issues", "list")).stdout == ""
    line = await db.fetch_one("SELECT actor, details FROM audit_line WHERE action = 'issue.resolved'")
    assert line["actor"].endswith(" at the command line")
    assert line["details"] == "payment_without_order payment:7"
    assert (await bitloot("issues", "resolve", issue)).stdout == "It was resolved before.\n"
    assert await db.fetch_value("SELECT count(*) FROM audit_line WHERE action = 'issue.resolved'") == 1


async def test_an_orders_issue_is_settled_with_a_note_that_stays_with_the_order(app, bitloot) -> None:
    order_id = await place()
    await open_reason(order_id, IssueCode.ORDER_NOTE, "Look at it")
    issue = await opened()
    before = await rows()
    refused = await bitloot("issues", "resolve", issue)
    assert (refused.returncode, "Write a short note" in refused.stderr) == (1, True)
    assert await rows() == before
    assert (await bitloot("issues", "resolve", issue, "--note", "Called them")).stdout == "Resolved.\n"
    found = await db.fetch_one("SELECT note, resolved_by FROM issue WHERE subject = $1", about(order_id))
    assert found["note"] == "Called them"
    assert found["resolved_by"].endswith(" at the command line")


async def test_what_ends_by_itself_and_what_is_not_there_change_nothing(app, bitloot) -> None:
    await issues.open_issue("product:7", IssueCode.PRICE_IMPLAUSIBLE, "Offered at 0.00")
    before = await rows()
    for issue in (await opened(), str(uuid4())):
        assert (await bitloot("issues", "resolve", issue)).returncode == 1
    assert (await bitloot("issues", "resolve", "no-id")).returncode == 2
    assert await rows() == before
