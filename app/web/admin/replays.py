"""Applying a kept notice of a provider once more."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath

from app.inbox import service
from app.web.admin import webhooks
from app.web.kernel import guards
from app.web.kernel.render import answer, see_other, wants_json

Req = Request[Any, Any, Any]
REPLAYS = ["/admin/webhooks/{notice_id:str}/replays", "/admin/webhook-logs/{notice_id:str}/replays"]


@post(REPLAYS, include_in_schema=False, status_code=202)
async def create(request: Req, notice_id: FromPath[str]) -> Response[bytes]:
    """Apply a kept notice once more. What it may not move any more stays as it is."""
    row = await webhooks.find(notice_id)
    async with guards.recorded(request, "webhook.replayed", details=f"{row.provider} {row.id}"):
        job_id = await service.replay(row.id)
    if wants_json(request):
        return answer({"jobId": job_id, "status": "pending"}, status=202)
    return see_other(f"/admin/jobs/{job_id}")
