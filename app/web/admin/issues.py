"""The issues list: what needs a person, the oldest first, each with the page where it can be settled."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.core.errors import NotFound
from app.core.i18n import _
from app.core.ids import parse_id
from app.issues import queries as issues
from app.issues import service
from app.issues.codes import matter
from app.issues.models import Issue
from app.orders import reasons
from app.web.kernel import guards
from app.web.kernel.body import read_form
from app.web.kernel.render import answer, page, see_other, wants_json
from app.web.kernel.viewer import visitor

Req = Request[Any, Any, Any]
PAGE = 50  # rows a page
DETAILS = 500  # characters of a line of the audit log

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
    """An issue as a line of the list. ``href`` is empty where its subject has no page.

    ``ends``: when it ends by itself; a person marks as resolved what has none. ``noted``: that person must say how.
    """

    id: UUID
    title: str
    subject: str
    detail: str
    lines: list[str]
    ends: str
    noted: bool
    href: str
    opened_at: datetime


def row(issue: Issue) -> IssueRow:
    """The list's line for an issue."""
    kind, _colon, name = issue.subject.partition(":")
    link, known = SUBJECT_LINKS.get(kind, ""), matter(issue.code)
    lines = [line[:1].upper() + line[1:] for line in (issue.detail or _(known.title)).split("\n")]
    return IssueRow(
        id=issue.id,
        title=_(known.title),
        subject=issue.subject,
        detail=". ".join(line.removesuffix(".") for line in lines) if lines[1:] else lines[0],
        lines=lines,
        ends=_(known.ends),
        noted=issue.subject.startswith(reasons.ABOUT),
        href=link.format(name) if link and name else "",
        opened_at=issue.opened_at,
    )


@get("/admin/issues", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    """Open issues, the oldest first; ``?after=`` continues behind the last one shown."""
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
    """A person says that the matter is settled, of an order with a note. Saying it again changes nothing."""
    found = parse_id(issue_id)
    issue = await issues.find(found) if found else None
    if issue is None:
        raise IssueNotFound("The link may be old. The list shows all open issues.")
    order_id = reasons.order_of(issue.subject) if issue.subject.startswith(reasons.ABOUT) else None
    if issue.resolved_at is None:
        note = str((await read_form(request)).get("note", "")).strip()[: service.LONGEST_NOTE]
        said, by = f"{issue.code} {issue.subject}"[:190], visitor(request).actor
        details = f"{said}: {note}"[:DETAILS] if note else said
        async with guards.recorded(request, "issue.resolved", order_id=order_id, details=details):
            if order_id is not None:
                await reasons.mark_dealt_with(issue, by=by, note=note)
            else:
                await service.mark_resolved(issue, by=by, note=note)
    where = f"/admin/orders/{order_id}" if order_id else "/admin/issues"
    return answer({"id": str(issue.id)}) if wants_json(request) else see_other(where)
