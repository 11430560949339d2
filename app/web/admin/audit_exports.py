"""The whole audit log as a signed bundle."""

from typing import Any

from litestar import Request, post
from litestar.response import Stream

from app.audit import service
from app.core import clock
from app.core.i18n import _
from app.web.kernel import guards

Req = Request[Any, Any, Any]


@post("/admin/audit/exports", include_in_schema=False, status_code=200)
async def create(request: Req) -> Stream:
    """The whole log as a signed bundle; the export is itself a line. 409 where the log does not verify."""
    verdict = await service.verify()
    if verdict.fault:
        raise service.ChainBroken(_("%(fault)s. Nothing was signed.", fault=str(verdict.fault).capitalize()))
    await guards.write(request, "audit.exported")
    name = f"bitloot-audit-{clock.now():%Y-%m-%d}.jsonl"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Stream(service.export(), media_type="application/jsonl", headers=headers)
