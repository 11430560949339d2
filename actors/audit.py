"""Jobs of the audit room."""

from datetime import timedelta

from actors.job import job
from app.audit import bundle, service
from app.core import clock
from app.providers.kit import Providers
from app.queue.service import Lease

KEPT = timedelta(days=90)  # anchors; the newest one alone is needed


@job("audit.anchor")
async def anchor(lease: Lease, kit: Providers) -> None:
    """Put one signed statement an hour where who can write to the database can't."""
    name = bundle.anchor_name(clock.now())
    if not await kit.store.exists(name):
        await kit.store.put(name, await service.anchor())
    await kit.store.expire(bundle.ANCHORS, clock.now() - KEPT)
