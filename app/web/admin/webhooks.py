"""What providers told us, as it came, and what it led to."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from app.core.errors import NotFound
from app.core.ids import parse_id
from app.inbox import queries as inbox
from app.web import guards
from app.web.admin import lists
from app.web.render import answer, page, wants_json

Asked = Request[Any, Any, Any]
ANSWERED = {"nowpayments": 200, "kinguin": 204}
PROVIDERS = tuple(ANSWERED)


class NoSuchNotice(NotFound):
    title = "No such webhook"


@get(["/admin/webhooks", "/admin/webhook-logs"], include_in_schema=False)
async def index(request: Asked) -> Response[bytes]:
    await guards.admin(request)
    provider = str(request.query_params.get("provider", "")) or None
    provider = provider if provider in PROVIDERS else None
    at = lists.number(request)
    rows = await inbox.page(provider=provider, limit=lists.PAGE, offset=(at - 1) * lists.PAGE)
    if wants_json(request):
        return answer({"items": rows})
    counts = await inbox.counts()
    context = {
        "hooks": [_shown(row) for row in rows],
        "counts": lists.tabs("/admin/webhooks", "provider", provider, ((p, counts.get(p, 0)) for p in PROVIDERS)),
        "links": lists.links("/admin/webhooks", at, len(rows), provider=provider),
    }
    return page(request, "admin/webhooks/index.html", context)


@get(["/admin/webhooks/{notice_id:str}", "/admin/webhook-logs/{notice_id:str}"], include_in_schema=False)
async def show(request: Asked, notice_id: FromPath[str]) -> Response[bytes]:
    await guards.admin(request)
    found = parse_id(notice_id)
    row = await inbox.one(found) if found else None
    if row is None:
        raise NoSuchNotice
    raw = bytes(row.pop("body")).decode("utf-8", "replace")
    if wants_json(request):
        return answer(row | {"body": raw})
    return page(request, "admin/webhooks/show.html", {"hook": _shown(row), "raw": raw, "headers": row["headers"]})


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    outcome, _, why = (row["outcome"] or row["status"]).partition(": ")
    return {
        "id": row["id"],
        "provider": row["provider"],
        "received_at": row["received_at"],
        "outcome": outcome,
        "summary": why or " ".join(row["dedupe"].split(":")[:2]),
        "status": ANSWERED.get(row["provider"], 200),
    }
