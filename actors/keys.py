"""Jobs of the keys room."""

from datetime import timedelta
from uuid import UUID

from actors.job import job
from app.core import clock
from app.core.backoff import Retry
from app.core.settings import settings
from app.fulfillment import steps
from app.keys import reveal
from app.providers.kit import Providers
from app.queue.service import Lease


@job("keys.collect", retry=Retry(attempts=12, first=1, factor=2.5, longest=600), needs=("kinguin", "storage"))
async def collect(lease: Lease, kit: Providers) -> None:
    reservation_id = UUID(lease.args["reservation_id"])
    await steps.collect(reservation_id, kinguin=kit.kinguin, store=kit.store, commit=lease.commit)


@job("keys.retire")
async def retire(lease: Lease, kit: Providers) -> None:
    await reveal.retire(clock.now() - timedelta(days=settings().retention_days), store=kit.store)
