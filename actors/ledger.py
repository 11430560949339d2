"""Jobs of the ledger room."""

from actors.job import job
from app.ledger import service
from app.providers.kit import Providers
from app.queue.backoff import Retry
from app.queue.service import Lease


@job("ledger.prove", retry=Retry(attempts=3))
async def prove(lease: Lease, kit: Providers) -> None:
    await service.prove()
