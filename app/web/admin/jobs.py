"""Jobs, the dead letters among them."""

import json
from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath

from app.core.errors import NotFound
from app.core.ids import parse_id
from app.queue import queries as jobs
from app.queue.models import JobHistory
from app.queue.states import JobStatus
from app.web.admin import retry_preview
from app.web.admin import tabs as lists
from app.web.kernel.render import answer, page, wants_json

Req = Request[Any, Any, Any]
# Run every few seconds or minutes, whatever happens: they would leave room for nothing else.
ROUTINE = ["payments.check", "fulfillment.report_slow", "fulfillment.resume_stuck", "webhooks.catch_up"]
EVERYTHING = "all"


class NoSuchJob(NotFound):
    title = "No such job"


@get("/admin/jobs", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    """Jobs, the newest first; `?status=failed` lists the dead letters.

    `?kind=` names a job, or is `all`; without it routine checks are left out, unless they have failed.
    """
    status = str(request.query_params.get("status", "")) or None
    status = status if status in set(JobStatus) else None
    at = lists.number(request)
    kind = str(request.query_params.get("kind", ""))
    kind = kind if kind in retry_preview.JOBS or kind == EVERYTHING else ""
    rows = await jobs.page(
        status=status,
        name=kind if kind in retry_preview.JOBS else None,
        without=() if kind or status == JobStatus.FAILED else ROUTINE,
        limit=lists.PAGE,
        offset=(at - 1) * lists.PAGE,
    )
    counts = await jobs.counts()
    if wants_json(request):
        return answer({"items": rows, "counts": counts})
    tabs = lists.tabs("/admin/jobs", "status", status, ((s.value, counts.get(s, 0)) for s in JobStatus), kind=kind)
    context = {
        "jobs": rows,
        "counts": tabs,
        "links": lists.links("/admin/jobs", at, len(rows), status=status, kind=kind),
        "status": status,
        "kind": kind,
        "kinds": sorted(retry_preview.JOBS),
    }
    return page(request, "admin/jobs/index.html", context)


async def find(job_id: str) -> JobHistory:
    found = parse_id(job_id)
    job = await jobs.one(found) if found else None
    if job is None:
        raise NoSuchJob("It may have been deleted: finished jobs are kept for 30 days.")
    return job


@get("/admin/jobs/{job_id:str}", include_in_schema=False)
async def show(request: Req, job_id: FromPath[str]) -> Response[bytes]:
    job = await find(job_id)
    if wants_json(request):
        return answer(job)
    args = json.dumps(job.args, indent=2)
    context = {
        "job": job,
        "attempts": sorted(job.attempts + job.retries, key=lambda line: line.number),
        "args_json": args,
        "preview": await retry_preview.of(job) if job.status == "failed" else "",
    }
    return page(request, "admin/jobs/show.html", context)
