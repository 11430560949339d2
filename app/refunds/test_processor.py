"""Refunds of test mode: ended by durable jobs, and booked as any refund is."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from uuid import UUID

from app.core import clock
from app.core.settings import settings
from app.core.state_machine import move
from app.history import service as history
from app.refunds import service
from app.refunds.states import MOVES, RefundStatus
from app.refunds.tables import Refund

Commit = Callable[[], AbstractAsyncContextManager[None]]

SHORTEST, LONGEST = 3_000, 5_000  # milliseconds from asked to ended
FAILS = "test:fail"  # the reason that makes a refund of test mode fail
APPROVED_BY = "the merchant"


async def begin(refund_id: UUID, order_id: UUID) -> None:
    """Post the first of two steps, in the surrounding transaction."""
    delay = SHORTEST + refund_id.int % (LONGEST - SHORTEST + 1)
    if settings().test_mode:
        delay = settings().test_processing_delay
    await _post(refund_id, order_id, delay // 2, delay - delay // 2)


async def _post(refund_id: UUID, order_id: UUID, wait: int, remaining_ms: int) -> None:
    later = timedelta(milliseconds=wait) if wait else None
    await service.simulate(refund_id, order_id, wait=later, remaining_ms=remaining_ms)


async def step(refund_id: UUID, remaining_ms: int, *, commit: Commit) -> None:
    """Take a refund one step on: being sent, then sent or failed after ``remaining_ms`` later."""
    async with commit(), service.changing(refund_id) as (order, refund):
        if refund.status == RefundStatus.PENDING:
            also = {Refund.approved_by: APPROVED_BY, Refund.approved_at: clock.now()}
            await move(Refund, refund_id, RefundStatus.PROCESSING, MOVES, also=also)
            await history.record(order.id, "refund.processing", refund_id=str(refund_id))
            await _post(refund_id, order.id, remaining_ms, 0)
        elif refund.status == RefundStatus.PROCESSING:
            if refund.reason == FAILS:
                await service.failed(refund, "turned down by the simulated processor")
            else:
                await service.paid(refund, tx_hash=f"test-{refund_id.hex}")
