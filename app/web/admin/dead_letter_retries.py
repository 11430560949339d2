"""Sending many dead letters round again: those chosen, all of a cause, or all."""

from datetime import datetime
from typing import Any

from litestar import Request, Response, post

from app.core import clock
from app.core.errors import Invalid
from app.queue import queries as jobs
from app.queue import service
from app.web.admin import dead_letters
from app.web.kernel import guards
from app.web.kernel.render import answer, see_other, wants_json
from app.web.kernel.viewer import visitor

Req = Request[Any, Any, Any]
MOST = 10_000  # letters sent round at once


class NothingChosen(Invalid):
    title = "No dead letter was selected"


@post("/admin/dead-letters/retries", include_in_schema=False, status_code=200)
async def create(request: Req) -> Response[bytes]:
    """Send round what was previewed; letters that died after `seen_at` are not among them."""
    form = await request.form()
    name, cause, ids = dead_letters.chosen(form)
    if ids is None and not form.get("everything") and not name:
        raise NothingChosen("Select at least one.", field="id")
    until = _moment(str(form.get("seen_at", "")))
    letters = await jobs.dead(name=name, cause=cause, ids=ids, limit=MOST)
    wanted = [row.id for row in letters if row.ended_at is None or row.ended_at <= until]
    who = visitor(request).actor
    said = f"{len(wanted)} dead letters" + (f": {name} {cause or ''}" if name else "")
    async with guards.recorded(request, "job.retried", details=said[:300]):
        done = await service.retry_all(wanted, by=who)
    return answer({"retried": done}) if wants_json(request) else see_other("/admin/dead-letters")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return clock.now()
    return moment if moment.tzinfo else clock.now()
