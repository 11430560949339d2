"""Jobs that delete what has served its time."""

from actors.job import job
from app.accounts import sessions
from app.forms import service as forms
from app.inbox import refusals
from app.merchants import idempotency
from app.providers.kit import Providers
from app.queue import service as jobs
from app.queue import worker_liveness
from app.queue.purge import forget_finished, sweep
from app.queue.service import Lease
from app.quotas import service as quotas
from app.webhooks import publish

SWEEPS = (
    forget_finished, worker_liveness.forget, refusals.forget, idempotency.forget, forms.forget, publish.forget,
    sessions.forget, sessions.forget_browsers, quotas.forget,
)  # fmt: skip


@job("maintenance.purge")
async def purge(lease: Lease, kit: Providers) -> None:
    if not await sweep(SWEEPS):
        async with lease.commit():
            await jobs.post("maintenance.purge", {}, dedupe="maintenance.purge")
