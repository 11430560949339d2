"""Jobs of the fulfillment room."""

from uuid import UUID

from actors.job import job
from app.fulfillment import notices, queries, returns, steps, stuck_orders
from app.providers.kit import Providers
from app.queue.backoff import Retry
from app.queue.service import Lease
from app.suppliers.registry import open_suppliers

PATIENT = Retry(attempts=12, first=1, factor=2.5, longest=600)  # a supplier that is down for an hour costs nobody a key


async def needs(lease: Lease, kit: Providers) -> tuple[str, ...]:
    """The providers of the supplier whom a job will ask; of all suppliers of an order where it is about an order."""
    if "item_id" in lease.args:
        names = [await queries.supplier_of_item(UUID(lease.args["item_id"]))]
    elif "reservation_id" in lease.args:
        names = [await queries.supplier_of(UUID(lease.args["reservation_id"]))]
    else:
        names = [*await queries.suppliers_of_order(UUID(lease.args["order_id"]))]
    suppliers = open_suppliers(kit)
    return tuple(dict.fromkeys(need for name in names if name for need in suppliers[name].needs))


async def needs_and_storage(lease: Lease, kit: Providers) -> tuple[str, ...]:
    return (*await needs(lease, kit), "storage")


@job("fulfillment.reserve", retry=PATIENT, needs=needs)
async def reserve(lease: Lease, kit: Providers) -> None:
    await steps.reserve(UUID(lease.args["item_id"]), suppliers=open_suppliers(kit), commit=lease.commit)


@job("fulfillment.check", retry=Retry(attempts=3), needs=needs)
async def check(lease: Lease, kit: Providers) -> None:
    await steps.check(UUID(lease.args["reservation_id"]), suppliers=open_suppliers(kit), commit=lease.commit)


@job("fulfillment.collect", retry=PATIENT, needs=needs_and_storage)
async def collect(lease: Lease, kit: Providers) -> None:
    reservation_id = UUID(lease.args["reservation_id"])
    await steps.collect(reservation_id, suppliers=open_suppliers(kit), store=kit.store, commit=lease.commit)


@job("fulfillment.return_keys", retry=PATIENT, needs=needs)
async def return_keys(lease: Lease, kit: Providers) -> None:
    await returns.give_back(UUID(lease.args["order_id"]), suppliers=open_suppliers(kit), commit=lease.commit)


@job("fulfillment.check_return", retry=PATIENT, needs=needs)
async def check_return(lease: Lease, kit: Providers) -> None:
    reservation_id, look = UUID(lease.args["reservation_id"]), int(lease.args["look"])
    await returns.check(reservation_id, look, suppliers=open_suppliers(kit), commit=lease.commit)


@job("fulfillment.apply_notice")
async def apply_notice(lease: Lease, kit: Providers) -> None:
    await notices.apply(UUID(lease.args["notice_id"]), suppliers=open_suppliers(kit), commit=lease.commit)


@job("fulfillment.report_slow")
async def report_slow(lease: Lease, kit: Providers) -> None:
    await stuck_orders.report_slow()


@job("fulfillment.resume_stuck")
async def resume_stuck(lease: Lease, kit: Providers) -> None:
    await stuck_orders.resume()
