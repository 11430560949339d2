"""What a person does when supply has failed: ask again, buy again, or give the order up."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from app.catalog import queries as catalog
from app.core import clock, db
from app.core.errors import Conflict
from app.core.i18n import _
from app.core.ids import new_id
from app.core.state_machine import move
from app.fulfillment import models, queries, withdrawal
from app.fulfillment.states import MOVES, ReservationStatus
from app.fulfillment.tables import Reservation
from app.keys import queries as key_rows
from app.orders import service as orders
from app.queue import service as jobs

ENDED = {ReservationStatus.CANCELLED, ReservationStatus.REFUNDED}  # by the supplier, who has said so of that very order
FAILED = {*ENDED, ReservationStatus.OUT_OF_STOCK}


class NotRetryable(Conflict):
    title = "This item can't be retried"


class NotGivenUp(Conflict):
    title = "This order can't be given up"


async def retry_item(item_id: UUID) -> None:
    """Try a failed item again.

    Where nothing was bought the same reservation asks once more. Where the supplier has ended our order, a new
    reservation, with an external id of its own, buys the units that are missing: only a person starts that, as it
    spends money a second time.
    """
    reservation = await queries.of_item(item_id)
    if reservation is None:
        raise NotRetryable("Nothing has been ordered from the supplier for this item yet.")
    async with orders.changing(reservation.order_id) as order:
        if order is None or order.status != "paid" or order.frozen_at is not None:
            raise NotRetryable("Only an item of a paid order that is not being refunded can be retried.")
        reservation = await queries.of_item(item_id)  # as it stands under the lock
        if reservation is None or not await orders.item_retried(order.id, item_id):
            raise NotRetryable("Only an item that has failed can be retried: this one is not missing anything.")
        limit = await _new_limit(reservation)
        again = _buy_again if reservation.status in ENDED else _ask_again
        if not await again(reservation, limit):
            raise NotRetryable(
                _("The reservation is %(status)s: it can't be ordered again.", status=reservation.status)
            )
        await jobs.post("fulfillment.reserve", {"item_id": str(item_id)}, subject=reservation.order_id)


async def _ask_again(reservation: models.Reservation, limit: Decimal) -> bool:
    own = await catalog.offer(reservation.product_id)
    again: dict[Any, Any] = {
        Reservation.asked_at: None, Reservation.cause: None, Reservation.supplier: own.supplier,
        Reservation.supplier_product_id: None, Reservation.price_limit: limit,
    }  # fmt: skip
    return await move(Reservation, reservation.id, ReservationStatus.REQUESTED, MOVES, also=again) is not None


async def _buy_again(reservation: models.Reservation, limit: Decimal) -> bool:
    """False when somebody was first: an item has one reservation that is not ended (a partial unique index)."""
    missing = reservation.units - len(await key_rows.supplier_ids(reservation.item_id))
    return bool(
        await db.fetch_value(
            """INSERT INTO reservation (id, order_id, item_id, status, quantity, price_limit, supplier, created_at,
                 updated_at)
               VALUES ($1, $2, $3, 'requested', $4, $5, (SELECT supplier FROM product WHERE id = $7), $6, $6)
               ON CONFLICT (item_id) WHERE status NOT IN ('cancelled', 'refunded') DO NOTHING RETURNING true""",
            new_id(), reservation.order_id, reservation.item_id, missing, limit, clock.now(),
            reservation.product_id,
        )
    )  # fmt: skip


async def _new_limit(reservation: models.Reservation) -> Decimal:
    """A person who retries accepts today's price, even where it leaves no margin."""
    product = await catalog.for_purchase(reservation.product_id)
    return max(reservation.price_limit, product.cost)


async def give_up(order_id: UUID, *, by: str) -> None:
    """Nothing of the order will be delivered: it has failed, and its money is asked to be sent back, or its credit is.

    Raises NotGivenUp while a key is there or may still come: what can be refunded then is a part, by hand.
    """
    async with orders.changing(order_id) as order:
        if order is None or order.status != "paid" or order.fulfillment_status != "failed":
            raise NotGivenUp("Only a paid order whose supply has failed can be given up.")
        items = queries.current(await queries.of_order(order_id))
        if any(row.status not in FAILED for row in items) or len(items) < await queries.items_of(order_id):
            raise NotGivenUp("One of its items may still be delivered: wait for it, or retry it.")
        if await key_rows.of_order(order_id):
            raise NotGivenUp("Some of its keys are here already. Refund the part that is missing instead.")
        cause = ", ".join(sorted({row.cause or row.status for row in items}))
        await orders.give_up(order_id, cause)
        if await withdrawal.undone(order_id):
            return
        args = {"order_id": str(order_id), "reason": f"could not be delivered: {cause}", "asked_by": by}
        await jobs.post("refunds.request", args, subject=order_id, dedupe=f"refunds.request:{order_id}")
