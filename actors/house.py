"""Jobs that keep the house itself tidy."""

from actors.job import job
from app.accounts import sessions
from app.forms import service as forms
from app.inbox import refusals
from app.jobs import presence
from app.jobs import service as jobs
from app.jobs.service import Lease
from app.jobs.tidy import forget_finished, sweep
from app.merchants import idempotency
from app.providers.kit import Providers
from app.quotas import service as quotas
from app.webhooks import publish

SWEEPS = (
    forget_finished, presence.forget, refusals.forget, idempotency.forget, forms.forget, publish.forget,
    sessions.forget, sessions.forget_browsers, quotas.forget,
)  # fmt: skip


@job("house.tidy")
async def tidy(lease: Lease, kit: Providers) -> None:
    if not await sweep(SWEEPS):
        async with lease.commit():
            await jobs.post("house.tidy", {}, dedupe="house.tidy")
