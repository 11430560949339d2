"""Jobs of the webhooks room."""

from uuid import UUID

from actors.job import job
from app.providers.kit import Providers
from app.queue.backoff import Retry
from app.queue.service import Lease
from app.webhooks import deliver as sending
from app.webhooks import publish as publishing


@job("webhooks.publish", retry=Retry(attempts=9, first=1, factor=2.5, longest=300))
async def publish(lease: Lease, kit: Providers) -> None:
    await publishing.publish(UUID(lease.args["order_id"]), commit=lease.commit)


@job("webhooks.deliver", retry=Retry(attempts=3, longest=10))
async def deliver(lease: Lease, kit: Providers) -> None:
    await sending.drain_endpoint(UUID(lease.args["endpoint_id"]), http=kit.merchants)


@job("webhooks.catch_up", retry=Retry(attempts=3))
async def catch_up(lease: Lease, kit: Providers) -> None:
    await publishing.catch_up()
