"""What staff decides of a refund: to pay it out, to record that it was, to turn it down, to try again."""

from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

from litestar import Request, Response, post
from litestar.params import FromPath

from app.refunds import service
from app.refunds.models import Refund
from app.web.admin import refunds
from app.web.kernel import guards
from app.web.kernel.body import read_form
from app.web.kernel.render import answer, see_other, wants_json
from app.web.kernel.viewer import visitor

Req = Request[Any, Any, Any]


@post("/admin/refunds/{refund_id:str}/approvals", include_in_schema=False, status_code=200)
async def approve(request: Req, refund_id: FromPath[str]) -> Response[bytes]:
    """Let the payout begin."""
    refund = await refunds.find(refund_id)
    async with _recorded(request, "approved", refund):
        await service.approve(refund.id, visitor(request).actor)
    return _back(request, refund.id)


@post("/admin/refunds/{refund_id:str}/records", include_in_schema=False, status_code=200)
async def record(request: Req, refund_id: FromPath[str]) -> Response[bytes]:
    """Keep the transaction of coins that a person has sent."""
    refund, form = await refunds.find(refund_id), await read_form(request)
    async with _recorded(request, "recorded", refund):
        await service.record(refund.id, form.get("tx_hash", ""), visitor(request).actor)
    return _back(request, refund.id)


@post("/admin/refunds/{refund_id:str}/rejections", include_in_schema=False, status_code=200)
async def reject(request: Req, refund_id: FromPath[str]) -> Response[bytes]:
    """Turn it down, with a reason that the customer reads."""
    refund, form = await refunds.find(refund_id), await read_form(request)
    async with _recorded(request, "rejected", refund):
        await service.fail(refund.id, form.get("reason", ""), visitor(request).actor)
    return _back(request, refund.id)


@post("/admin/refunds/{refund_id:str}/retries", include_in_schema=False, status_code=200)
async def retry(request: Req, refund_id: FromPath[str]) -> Response[bytes]:
    """Put a failed refund back, to be decided on again."""
    refund = await refunds.find(refund_id)
    async with _recorded(request, "retried", refund):
        await service.retry(refund.id, visitor(request).actor)
    return _back(request, refund.id)


def _recorded(request: Req, act: str, refund: Refund) -> AbstractAsyncContextManager[None]:
    details = f"{refund.id} {refund.amount} {refund.currency}"
    return guards.recorded(request, f"refund.{act}", order_id=refund.order_id, details=details)


def _back(request: Req, refund_id: UUID) -> Response[bytes]:
    return answer({"refundId": refund_id}) if wants_json(request) else see_other(f"/admin/refunds/{refund_id}")
