"""Jobs of the catalog room."""

from actors.job import job
from app.catalog import rates, service
from app.providers.kit import Providers
from app.queue import service as jobs
from app.queue.backoff import Retry
from app.queue.service import Lease
from app.suppliers.registry import BEFORE, open_suppliers


async def needs(lease: Lease, kit: Providers) -> tuple[str, ...]:
    """The providers of the supplier that a job is about."""
    return open_suppliers(kit)[lease.args.get("supplier", BEFORE)].needs


@job("catalog.sync", retry=Retry(attempts=3), needs=needs)
async def sync(lease: Lease, kit: Providers) -> None:
    suppliers = open_suppliers(kit)
    if not lease.args:
        for other in suppliers.listings:
            if other.name != BEFORE:
                await jobs.post("catalog.sync", {"supplier": other.name}, dedupe=f"catalog.sync:{other.name}")
    listing = suppliers[lease.args.get("supplier", BEFORE)].listing
    assert listing is not None, "nobody posts a reading of a supplier that lists nothing"
    rest = await service.sync_on(lease.args, listing=listing)
    if rest is not None:
        async with lease.commit():
            await jobs.post("catalog.sync", rest, dedupe=service.rest_of(listing.name))


@job("catalog.sync_rates", retry=Retry(attempts=8, first=30, factor=2, longest=900))
async def sync_rates(lease: Lease, kit: Providers) -> None:
    await rates.sync(rates=kit.rates)


@job("catalog.refresh", retry=Retry(attempts=3), needs=needs)
async def refresh(lease: Lease, kit: Providers) -> None:
    listing = open_suppliers(kit)[lease.args.get("supplier", BEFORE)].listing
    if listing is not None:
        await service.refresh(lease.args["product_id"], listing=listing)
