"""Jobs of the catalog room."""

from actors.job import job
from app.catalog import service
from app.core.backoff import Retry
from app.jobs.service import Lease
from app.providers.kit import Providers


@job("catalog.sync", retry=Retry(attempts=3), needs=("kinguin",))
async def sync(lease: Lease, kit: Providers) -> None:
    await service.sync(kinguin=kit.kinguin)


@job("catalog.refresh", retry=Retry(attempts=3), needs=("kinguin",))
async def refresh(lease: Lease, kit: Providers) -> None:
    await service.refresh(lease.args["product_id"], kinguin=kit.kinguin)
