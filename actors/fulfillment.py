"""Jobs of the fulfillment room."""

from uuid import UUID

from actors.job import job
from app.fulfillment import notices, returns, steps, stuck_orders
from app.providers.kit import Providers
from app.queue.backoff import Retry
from app.queue.service import Lease

PATIENT = Retry(attempts=12, first=1, factor=2.5, longest=600)  # a supplier that is down for an hour costs nobody a key


@job("fulfillment.reserve", retry=PATIENT, needs=("kinguin",))
async def reserve(lease: Lease, kit: Providers) -> None:
    await steps.reserve(UUID(lease.args["item_id"]), kinguin=kit.kinguin, commit=lease.commit)


@job("fulfillment.check", retry=Retry(attempts=3), needs=("kinguin",))
async def check(lease: Lease, kit: Providers) -> None:
    await steps.check(UUID(lease.args["reservation_id"]), kinguin=kit.kinguin, commit=lease.commit)


@job("fulfillment.collect", retry=PATIENT, needs=("kinguin", "storage"))
async def collect(lease: Lease, kit: Providers) -> None:
    reservation_id = UUID(lease.args["reservation_id"])
    await steps.collect(reservation_id, kinguin=kit.kinguin, store=kit.store, commit=lease.commit)


@job("fulfillment.return_keys", retry=PATIENT, needs=("kinguin",))
async def return_keys(lease: Lease, kit: Providers) -> None:
    await returns.give_back(UUID(lease.args["order_id"]), kinguin=kit.kinguin, commit=lease.commit)


@job("fulfillment.check_return", retry=PATIENT, needs=("kinguin",))
async def check_return(lease: Lease, kit: Providers) -> None:
    reservation_id, look = UUID(lease.args["reservation_id"]), int(lease.args["look"])
    await returns.check(reservation_id, look, kinguin=kit.kinguin, commit=lease.commit)


@job("fulfillment.apply_notice")
async def apply_notice(lease: Lease, kit: Providers) -> None:
    await notices.apply(UUID(lease.args["notice_id"]), commit=lease.commit)


@job("fulfillment.report_slow")
async def report_slow(lease: Lease, kit: Providers) -> None:
    await stuck_orders.report_slow()


@job("fulfillment.resume_stuck")
async def resume_stuck(lease: Lease, kit: Providers) -> None:
    await stuck_orders.resume()
