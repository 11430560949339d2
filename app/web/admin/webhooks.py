"""What providers told us, as it came, and what it led to."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath
from msgspec.structs import asdict

from app.core.ids import parse_id
from app.inbox import queries as inbox
from app.inbox import service
from app.inbox.models import KeptNotice, ReceivedNotice
from app.web.admin import tabs
from app.web.kernel.render import answer, page, wants_json

Req = Request[Any, Any, Any]
ANSWERED = {"nowpayments": 200, "kinguin": 204}
PROVIDERS = tuple(ANSWERED)
REFUSED_SHOWN = 24  # counts of posts that were not genuine


@get(["/admin/webhooks", "/admin/webhook-logs"], include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    provider = str(request.query_params.get("provider", "")) or None
    provider = provider if provider in PROVIDERS else None
    at = tabs.number(request)
    rows = await inbox.page(provider=provider, limit=tabs.PAGE, offset=(at - 1) * tabs.PAGE)
    refused = await inbox.refused(REFUSED_SHOWN)
    if wants_json(request):
        return answer({"items": rows, "refused": refused})
    counts = await inbox.counts(PROVIDERS)
    context = {
        "hooks": [_shown(row) for row in rows],
        "counts": tabs.tabs("/admin/webhooks", "provider", provider, ((p, counts.get(p, 0)) for p in PROVIDERS)),
        "links": tabs.links("/admin/webhooks", at, len(rows), provider=provider),
        "refused": refused,
    }
    return page(request, "admin/webhooks/index.html", context)


@get(["/admin/webhooks/{notice_id:str}", "/admin/webhook-logs/{notice_id:str}"], include_in_schema=False)
async def show(request: Req, notice_id: FromPath[str]) -> Response[bytes]:
    row = await find(notice_id)
    raw = row.body.decode("utf-8", "replace")
    if wants_json(request):
        return answer({**asdict(row), "body": raw})
    return page(request, "admin/webhooks/show.html", {"hook": _shown(row), "raw": raw, "headers": row.headers})


async def find(notice_id: str) -> KeptNotice:
    found = parse_id(notice_id)
    row = await inbox.one(found) if found else None
    if row is None:
        raise service.NoSuchNotice("It may have been deleted; the list shows what is kept.")
    return row


class Hook(msgspec.Struct, frozen=True):
    """A notice as the pages show it. ``status``: what we answered; ``again``: what became of its last replay."""

    id: UUID
    provider: str
    received_at: datetime
    outcome: str
    again: str
    summary: str
    status: int


def _shown(row: ReceivedNotice) -> Hook:
    led_to, _, again = (row.outcome or row.status).partition(inbox.REPLAYED)
    outcome, _, why = led_to.partition(": ")
    return Hook(
        id=row.id,
        provider=row.provider,
        received_at=row.received_at,
        outcome=outcome,
        again=again,
        summary=why or " ".join(row.dedupe.split(":")[:2]),
        status=ANSWERED.get(row.provider, 200),
    )
