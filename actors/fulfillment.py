"""Jobs of the fulfillment room."""

from uuid import UUID

from actors.job import job
from app.core.backoff import Retry
from app.fulfillment import notices, steps, stuck_orders
from app.providers.kit import Providers
from app.queue.service import Lease

PATIENT = Retry(attempts=12, first=1, factor=2.5, longest=600)  # a supplier that is down for an hour costs nobody a key


@job("fulfillment.reserve", retry=PATIENT, needs=("kinguin",))
async def reserve(lease: Lease, kit: Providers) -> None:
    await steps.reserve(UUID(lease.args["item_id"]), kinguin=kit.kinguin, commit=lease.commit)


@job("fulfillment.check", retry=Retry(attempts=3), needs=("kinguin",))
async def check(lease: Lease, kit: Providers) -> None:
    await steps.check(UUID(lease.args["reservation_id"]), kinguin=kit.kinguin, commit=lease.commit)


@job("fulfillment.apply_notice")
async def apply_notice(lease: Lease, kit: Providers) -> None:
    await notices.apply(UUID(lease.args["notice_id"]), commit=lease.commit)


@job("fulfillment.tell_slow")
async def tell_slow(lease: Lease, kit: Providers) -> None:
    await stuck_orders.report_slow()


@job("fulfillment.pick_up")
async def pick_up(lease: Lease, kit: Providers) -> None:
    await stuck_orders.resume()
