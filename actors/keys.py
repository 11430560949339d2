"""Jobs of the keys room."""

from datetime import timedelta

from actors.job import job
from app.core import clock
from app.core.settings import settings
from app.keys import reveal
from app.providers.kit import Providers
from app.queue.service import Lease
from app.suppliers import own_stock


@job("keys.retire")
async def retire(lease: Lease, kit: Providers) -> None:
    before = clock.now() - timedelta(days=settings().retention_days)
    await reveal.retire(before, store=kit.store)
    await own_stock.forget(before)
