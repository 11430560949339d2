"""Giving keys back to their suppliers for an order whose money goes back, where their rules allow.

One call an order of theirs, unclaimed keys only; what they pay back follows by itself and is asked for.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from uuid import UUID

from app.core import clock, db
from app.core.money import CENT
from app.fulfillment import models, queries
from app.history import service as history
from app.keys import queries as key_rows
from app.keys import reveal as keys
from app.ledger import service as ledger
from app.orders import service as orders
from app.providers.http import ProviderDown
from app.queue import service as jobs
from app.queue.backoff import growing
from app.suppliers.errors import NothingToReturn, OrderNotFound
from app.suppliers.models import SupplierOrder
from app.suppliers.port import Supplier, Suppliers

Commit = Callable[[], AbstractAsyncContextManager[None]]

ALLOWED = timedelta(hours=24)  # after delivery (kinguin.md, 4)
UNDELIVERED = timedelta(minutes=1)  # until an order that is not delivered yet is looked at again
FIRST_LOOK, LOOK_FACTOR, LONGEST_LOOK = 30.0, 2.0, 6 * 3600.0  # seconds between looks at a return
SECOND_ASK = 1  # the look, counted from 0, before which the call is made once more
MOST_LOOKS = 30  # with the intervals above about five days


async def give_back(order_id: UUID, *, suppliers: Suppliers, commit: Commit) -> None:
    """Offer back the keys of each of the order's reservations; those still to be delivered are waited for."""
    waiting = False
    for reservation in await queries.to_give_back(order_id):
        if reservation.status != "delivered":
            waiting = waiting or clock.now() - reservation.created_at < ALLOWED
        elif await _mark(reservation):
            await _offer(reservation, suppliers[reservation.supplier])
    async with commit():
        if waiting:
            await jobs.post(
                "fulfillment.return_keys", {"order_id": str(order_id)}, subject=order_id,
                dedupe=f"fulfillment.return_keys:{order_id}", wait=UNDELIVERED,
            )  # fmt: skip


async def _mark(reservation: models.Reservation) -> bool:
    """Write down that we ask, before asking: it may be asked once. False where it can't or was."""
    async with orders.changing(reservation.order_id) as order:
        if order is None or order.frozen_at is None:
            return False
        mine = await db.fetch_value(
            """UPDATE reservation SET return_asked_at = $2 WHERE id = $1 AND return_asked_at IS NULL RETURNING true""",
            reservation.id, clock.now(),
        )  # fmt: skip
        if not mine:
            return False
        if await keys.give_back(reservation.item_id, given=True):
            await _look_later(reservation, 0)
            return True
        why = "one of these keys was shown"
        await history.record(order.id, "supply.return_refused", item=str(reservation.item_id), why=why)
        return False


async def _offer(reservation: models.Reservation, supplier: Supplier) -> None:
    """Make the one call. Its answer may get lost: the looks that follow tell."""
    try:
        await supplier.return_keys(reservation.placed_order_id)
    except (NothingToReturn, OrderNotFound) as refused:
        await _kept(reservation, refused.detail)
    except ProviderDown as down:
        if down.may_have_happened:
            return
        await db.fetch("UPDATE reservation SET return_asked_at = NULL WHERE id = $1", reservation.id)
        raise


async def _kept(reservation: models.Reservation, why: str) -> None:
    """The supplier does not take the keys back: they stay ours, locked."""
    async with orders.changing(reservation.order_id):
        await keys.give_back(reservation.item_id, given=False)
        await history.record(reservation.order_id, "supply.return_refused", item=str(reservation.item_id), why=why)


async def check(reservation_id: UUID, look: int, *, suppliers: Suppliers, commit: Commit) -> None:
    """Ask whether the supplier has paid a return back, and book what it has."""
    reservation = await queries.one(reservation_id)
    if reservation is None or not await key_rows.given_back(reservation.item_id):
        return
    supplier = suppliers[reservation.supplier]
    if look == SECOND_ASK:
        # The first call may have been lost; one that was not makes this one refused, which changes nothing.
        with suppress(NothingToReturn, OrderNotFound, ProviderDown):
            await supplier.return_keys(reservation.placed_order_id)
    found = await supplier.status(reservation.placed_order_id)
    back = _paid_back(reservation, found)
    async with commit(), orders.changing(reservation.order_id) as order:
        assert order is not None
        if back > (reservation.refunded or 0):
            await db.fetch("UPDATE reservation SET refunded = $2 WHERE id = $1", reservation_id, back)
            await ledger.supply_back(order.id, reservation_id, back)
            data = {"item": str(reservation.item_id), "amount": f"{back:.2f} EUR"}
            await history.record(order.id, "supply.returned", **data)
        elif reservation.refunded is None and _cost_nothing(reservation.charged, found):
            await db.fetch("UPDATE reservation SET refunded = 0 WHERE id = $1", reservation_id)
            await history.record(order.id, "supply.returned", item=str(reservation.item_id))
        if back < (reservation.charged or 0) and look < MOST_LOOKS:
            await _look_later(reservation, look + 1)


def _cost_nothing(charged: Decimal | None, found: SupplierOrder) -> bool:
    """Whether keys are with their supplier again that cost nothing when they were bought."""
    return charged is None and found.status == "refunded"


def _paid_back(reservation: models.Reservation, found: SupplierOrder) -> Decimal:
    """What came back in all, in EUR: everything for a refunded order, else each refunded key's share."""
    charged = reservation.charged or Decimal(0)
    gone = sum(1 for key in found.keys if key.status == "refunded")
    if found.status == "refunded" or not found.keys:
        return charged if found.status == "refunded" else Decimal(0)
    return (charged * gone / len(found.keys)).quantize(CENT, ROUND_DOWN)


async def _look_later(reservation: models.Reservation, look: int) -> None:
    wait = growing(look, first=FIRST_LOOK, factor=LOOK_FACTOR, longest=LONGEST_LOOK)
    args = {"reservation_id": str(reservation.id), "look": look}
    dedupe = f"fulfillment.check_return:{reservation.id}"
    await jobs.post("fulfillment.check_return", args, subject=reservation.order_id, dedupe=dedupe, wait=wait)
