"""What needs a person: one open row per subject and code, opened once, resolved when its reason is gone."""

import asyncio

import pytest

from app.core import db
from app.issues import queries, service
from app.issues.codes import IssueCode

SUBJECT = "product:42"


async def test_a_matter_is_opened_once_and_takes_the_newest_detail(app) -> None:
    assert await service.open_issue(SUBJECT, "price_implausible", "offered at 0.00")
    assert not await service.open_issue(SUBJECT, "price_implausible", "offered at 0.01")
    (issue,) = await queries.open_for(SUBJECT)
    assert (issue.code, issue.detail, issue.resolved_at) == ("price_implausible", "offered at 0.01", None)


async def test_many_who_open_it_at_once_open_one(app) -> None:
    opened = await asyncio.gather(*(service.open_issue(SUBJECT, "odd_rows", str(n)) for n in range(12)))
    assert sorted(opened) == [False] * 11 + [True]
    assert len(await queries.open_for(SUBJECT)) == 1


async def test_resolving_ends_the_codes_named_and_what_comes_again_is_a_new_row(app) -> None:
    for code in ("price_implausible", "odd_rows"):
        await service.open_issue(SUBJECT, code, "…")
    assert await service.resolve(SUBJECT, "odd_rows") == 1
    assert await service.resolve(SUBJECT, "odd_rows") == 0
    assert [issue.code for issue in await queries.open_for(SUBJECT)] == ["price_implausible"]
    assert await service.open_issue(SUBJECT, "odd_rows", "again")
    both = (IssueCode.PRICE_IMPLAUSIBLE, IssueCode.ODD_ROWS)
    assert await service.resolve(SUBJECT, *both, by="admin:ann@shop.test") == 2
    rows = await db.fetch("SELECT code, resolved_by FROM issue ORDER BY opened_at, id")
    assert [tuple(row) for row in rows] == [
        ("price_implausible", "admin:ann@shop.test"), ("odd_rows", "system"), ("odd_rows", "admin:ann@shop.test"),
    ]  # fmt: skip


async def test_no_reason_is_lost_beside_others_however_long(app) -> None:
    for number in range(5):
        await service.open_issue("order:1", f"reason_{number}", "x" * 5000)
    assert [len(issue.detail) for issue in await queries.open_for("order:1")] == [service.LONGEST_DETAIL] * 5


async def test_what_a_transaction_opened_is_gone_with_it(app) -> None:
    async def fails() -> None:
        async with db.transaction():
            await service.open_issue(SUBJECT, "odd_rows", "…")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fails()
    assert await queries.open_for(SUBJECT) == []


async def test_the_list_continues_behind_the_last_one_shown(app) -> None:
    for number in range(5):
        await service.open_issue(f"product:{number}", "odd_rows", "…")
    first = await queries.open_page(3)
    rest = await queries.open_page(3, (first[-1].opened_at, first[-1].id))
    assert [issue.subject for issue in (*first, *rest)] == [f"product:{number}" for number in range(5)]
    assert await queries.count_open() == 5
