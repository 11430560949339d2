"""Sending a dead letter round again."""

from typing import Any

from litestar import Request, Response, post
from litestar.params import FromPath

from app.queue import service
from app.web.admin import jobs
from app.web.kernel import guards
from app.web.kernel.render import answer, see_other, wants_json
from app.web.kernel.viewer import visitor

Req = Request[Any, Any, Any]


@post("/admin/jobs/{job_id:str}/retries", include_in_schema=False, status_code=200)
async def create(request: Req, job_id: FromPath[str]) -> Response[bytes]:
    """Send a dead letter round again; its attempts so far stay on record."""
    job = await jobs.find(job_id)
    async with guards.recorded(request, "job.retried", order_id=job.subject, details=f"{job.name} {job.id}"):
        await service.retry(job.id, by=visitor(request).actor)
    return answer({"jobId": job.id, "status": "pending"}) if wants_json(request) else see_other(f"/admin/jobs/{job.id}")
