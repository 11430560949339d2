"""Jobs of the catalog room."""

from actors.job import job
from app.catalog import rates, service
from app.providers.kit import Providers
from app.queue import service as jobs
from app.queue.backoff import Retry
from app.queue.service import Lease


@job("catalog.sync", retry=Retry(attempts=3), needs=("kinguin",))
async def sync(lease: Lease, kit: Providers) -> None:
    rest = await service.sync_on(lease.args, kinguin=kit.kinguin)
    if rest is not None:
        async with lease.commit():
            await jobs.post("catalog.sync", rest, dedupe=service.REST)


@job("catalog.sync_rates", retry=Retry(attempts=8, first=30, factor=2, longest=900))
async def sync_rates(lease: Lease, kit: Providers) -> None:
    await rates.sync(rates=kit.rates)


@job("catalog.refresh", retry=Retry(attempts=3), needs=("kinguin",))
async def refresh(lease: Lease, kit: Providers) -> None:
    await service.refresh(lease.args["product_id"], kinguin=kit.kinguin)
