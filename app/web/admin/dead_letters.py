"""Dead letters by what they died of, and what each would do if sent round again."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, Response, get

from app.core import clock
from app.core.ids import parse_id
from app.core.structs import extend
from app.orders.service import short
from app.queue import queries as jobs
from app.queue.models import DeadGroup, DeadLetter
from app.web.admin import retry_preview
from app.web.kernel.render import answer, page, wants_json

Req = Request[Any, Any, Any]
SHOWN = 200  # letters on a page; a retry of a whole cause takes all


class Group(DeadGroup, frozen=True):
    """A group as the page lists it."""

    href: str


class Letter(DeadLetter, frozen=True):
    """A dead letter as the pages show it. ``preview``: what it would do; empty where nobody asked for that."""

    about: str
    preview: str


@get("/admin/dead-letters", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    """Groups of the same job and cause; with `?name=&cause=` one group's letters, to choose among."""
    name, cause, _ = chosen(request.query_params)
    groups = await jobs.causes()
    letters = await jobs.dead(name=name, cause=cause, limit=SHOWN) if name else []
    if wants_json(request):
        return answer({"groups": groups, "items": letters})
    context = {
        "groups": [extend(Group, group, href=f"/admin/dead-letters?{_query(group)}") for group in groups],
        "letters": [_shown(row) for row in letters],
        "name": name or "",
        "cause": cause or "",
    }
    return page(request, "admin/dead_letters/index.html", context)


@get("/admin/dead-letters/preview", include_in_schema=False)
async def preview(request: Req) -> Response[bytes]:
    """What each chosen letter would do: `?id=` once or more, `?name=&cause=`, or none of them for all."""
    name, cause, ids = chosen(request.query_params)
    seen_at = clock.now()
    letters = await jobs.dead(name=name, cause=cause, ids=ids, limit=SHOWN)
    shown = [_shown(row, preview=await retry_preview.of(row)) for row in letters]
    if wants_json(request):
        return answer({"items": [{"id": row.id, "preview": row.preview} for row in shown]})
    count = sum(g.count for g in await jobs.causes() if _matches(g, name, cause)) if ids is None else len(shown)
    context = {
        "letters": shown,
        "count": count,
        "ids": [row.id for row in shown] if ids is not None else None,
        "name": name or "",
        "cause": cause if cause is not None else "",
        "by_cause": cause is not None,
        "seen_at": seen_at.isoformat(),
    }
    return page(request, "admin/dead_letters/preview.html", context)


def chosen(fields: Any) -> tuple[str | None, str | None, list[UUID] | None]:
    """Name, cause and ids as asked for; None where not. A name alone means all its causes."""
    given = [str(value) for value in fields.getall("id", [])]
    ids = [found for text in given if (found := parse_id(text))] if given else None
    name, cause = fields.get("name") or None, fields.get("cause")
    clean = [None if value is None else str(value).replace("\x00", "")[:200] for value in (name, cause)]
    return clean[0], clean[1] if clean[0] else None, ids


def _query(group: DeadGroup) -> str:
    return urlencode({"name": group.name, "cause": group.cause})


def _matches(group: DeadGroup, name: str | None, cause: str | None) -> bool:
    return name in (None, group.name) and cause in (None, group.cause)


def _shown(row: DeadLetter, preview: str = "") -> Letter:
    return extend(Letter, row, about=short(row.subject) if row.subject else "", preview=preview)
