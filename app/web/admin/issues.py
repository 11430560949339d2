"""The issues list: what needs a person, the oldest first, each with the page where it can be settled."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.core.errors import NotFound
from app.core.ids import parse_id
from app.issues import queries as issues
from app.issues import service
from app.issues.models import Issue
from app.web.kernel import guards
from app.web.kernel.render import answer, page, see_other, wants_json
from app.web.kernel.viewer import visitor

Req = Request[Any, Any, Any]
PAGE = 50  # rows a page

# What an issue's code is called. A code without words here is shown as it is, with spaces.
TITLES: dict[str, str] = {
    "letter_undelivered": "An email did not arrive",
    "mail_quota": "Emails are waiting for the mail quota",
    "late_delivery": "Keys arrived after their customer was refunded",
    "supplier_slow": "The supplier is slow",
    "supplier_word": "The supplier uses an unknown status",
    "rates_stale": "Sales are stopped: the exchange rates are out of date",
    "rates_late": "The source of exchange rates does not answer",
    "rate_implausible": "An exchange rate looks wrong",
    "price_implausible": "Price looks wrong: check it before it is sold",
    "prices_implausible": "Many of the supplier’s prices look wrong",
    "product_unreadable": "The supplier’s answer about a product can’t be read",
    "price_currency": "A price is in the shop’s former currency",
    "stock_low": "Few of your own keys are left",
    "listing_incomplete": "The supplier’s listing is incomplete",
    "odd_rows": "Some of the supplier’s products have faulty data",
    "coins_missing": "NOWPayments lists no coins",
    "coin_minimum": "The minimum of some coins is not known",
    "payment_without_order": "Money at the payment provider without an order",
    "notice_unreadable": "A payment notice can’t be read",
    "refund_uncovered": "A refund was asked for money that was used already",
    "clock_skew": "A machine's clock is wrong",
}
# Where an issue's subject can be looked at, by its kind; ``{}`` is the id behind the colon.
SUBJECT_LINKS = {
    "order": "/admin/orders/{}",
    "job": "/admin/jobs/{}",
    "refund": "/admin/refunds/{}",
    "merchant": "/admin/merchants/{}",
    "product": "/admin/products/{}",
}


class IssueNotFound(NotFound):
    title = "No such issue"


class IssueRow(msgspec.Struct, frozen=True):
    """An issue as a line of the list. ``href`` is empty where its subject has no page."""

    id: UUID
    title: str
    subject: str
    detail: str
    href: str
    opened_at: datetime


def row(issue: Issue) -> IssueRow:
    """The list's line for an issue."""
    kind, _, name = issue.subject.partition(":")
    link = SUBJECT_LINKS.get(kind, "")
    return IssueRow(
        id=issue.id,
        title=TITLES.get(issue.code, issue.code.replace("_", " ").capitalize()),
        subject=issue.subject,
        detail=issue.detail,
        href=link.format(name) if link and name else "",
        opened_at=issue.opened_at,
    )


@get("/admin/issues", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    """Open issues, the oldest first; ``?after=`` continues behind the last one shown."""
    await guards.admin(request)
    found = await issues.open_page(PAGE + 1, await _position(request))
    shown = found[:PAGE]
    if wants_json(request):
        return answer({"items": [msgspec.to_builtins(issue) for issue in shown], "next": _next(found)})
    more = _next(found)
    context = {
        "issues": [row(issue) for issue in shown],
        "links": {"prev": None, "next": f"/admin/issues?{urlencode({'after': more})}" if more else None},
    }
    return page(request, "admin/issues/index.html", context)


async def _position(request: Req) -> tuple[datetime, UUID] | None:
    found = parse_id(str(request.query_params.get("after", "")))
    last = await issues.find(found) if found else None
    return (last.opened_at, last.id) if last else None


def _next(found: list[Issue]) -> str | None:
    return str(found[PAGE - 1].id) if len(found) > PAGE else None


@post("/admin/issues/{issue_id:str}/resolutions", include_in_schema=False, status_code=200)
async def resolve(request: Req, issue_id: FromPath[str]) -> Response[bytes]:
    """A person says that the matter is settled. Saying it again changes nothing."""
    await guards.admin(request)
    found = parse_id(issue_id)
    issue = await issues.find(found) if found else None
    if issue is None:
        raise IssueNotFound("The link may be old. The list shows all open issues.")
    if issue.resolved_at is None:
        async with guards.recorded(request, "issue.resolved", details=f"{issue.code} {issue.subject}"[:200]):
            await service.resolve_one(issue.id, by=visitor(request).actor)
    return answer({"id": str(issue.id)}) if wants_json(request) else see_other("/admin/issues")
