"""Jobs that keep the house itself tidy."""

from actors.job import job
from app.accounts import sessions
from app.forms import service as forms
from app.inbox import refusals
from app.jobs import presence
from app.jobs.service import Lease
from app.jobs.tidy import forget_finished
from app.merchants import idempotency
from app.providers.kit import Providers
from app.quotas import service as quotas
from app.webhooks import publishing


@job("house.tidy")
async def tidy(lease: Lease, kit: Providers) -> None:
    await forget_finished()
    await presence.forget()
    await refusals.forget()
    await idempotency.forget()
    await forms.forget()
    await publishing.forget()
    await sessions.forget()
    await quotas.forget()
