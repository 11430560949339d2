"""Buying one item at its supplier, at most once: looked for first, asked for once, never above the limit."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.catalog import queries as catalog
from app.catalog import rates
from app.catalog import service as shelves
from app.catalog.models import Offer
from app.catalog.pricing import most_we_pay
from app.core import clock, db, log
from app.core.ids import new_id
from app.core.state_machine import move
from app.fulfillment import failure_reasons, models, queries, track
from app.fulfillment.states import MOVES, ReservationStatus
from app.fulfillment.tables import Reservation
from app.history import service as history
from app.issues.codes import IssueCode
from app.ledger import service as ledger
from app.orders import service as orders
from app.providers.http import ProviderError
from app.suppliers.errors import InsufficientBalance, OrderFailed, ProductUnavailable
from app.suppliers.models import SupplierOrder
from app.suppliers.port import Supplier, Suppliers

Commit = Callable[[], AbstractAsyncContextManager[None]]

SEARCH_LAG = timedelta(seconds=20)  # how long a new order may stay invisible to the supplier's search (kinguin.md, 4)
ANOTHER_OFFER = timedelta(seconds=1)  # until another offer is tried: nothing was bought, so nothing can lag


@dataclass
class TooEarly(Exception):
    """Nothing may be bought just now: look again in ``retry_in``, because of ``why``."""

    retry_in: timedelta
    why: str = "the supplier's answer was lost: looking again before buying"
    counts: bool = True


async def reserve(item_id: UUID, *, suppliers: Suppliers, commit: Commit) -> None:
    """Buy one item, unless the supplier already has our order for it."""
    reservation = await _reservation(item_id)
    if reservation is None or reservation.status != ReservationStatus.REQUESTED:
        return
    supplier = suppliers[reservation.supplier]
    bought = await supplier.find(str(reservation.id))
    if bought is None:
        bought = await _buy(reservation, supplier, commit)
    if bought is not None:
        async with commit(), orders.changing(reservation.order_id):
            await _reserved(reservation, bought)


async def _reservation(item_id: UUID) -> models.Reservation | None:
    """The item's current reservation, its first made on first use; None unless its order is paid for."""
    item = await queries.item_to_buy(item_id)
    if item is None:
        return None
    paid_per_unit = item.unit_price * (item.total / item.subtotal)
    limit = most_we_pay(paid_per_unit, await rates.current())
    # A further one is made by a person alone, so a job that comes late finds the one that ended, and buys nothing.
    await db.fetch(
        """INSERT INTO reservation (id, order_id, item_id, status, supplier, quantity, price_limit, created_at,
             updated_at)
           SELECT $1, $2, $3, 'requested', (SELECT supplier FROM product WHERE id = $7), $4, $5, $6, $6
           WHERE NOT EXISTS (SELECT FROM reservation WHERE item_id = $3)
           ON CONFLICT (item_id) WHERE status NOT IN ('cancelled', 'refunded') DO NOTHING""",
        new_id(), item.order_id, item_id, item.quantity, limit, clock.now(), item.product_id,
    )  # fmt: skip
    return await queries.of_item(item_id)


async def _buy(reservation: models.Reservation, supplier: Supplier, commit: Commit) -> SupplierOrder | None:
    """Ask for it. None when it is not to be had, here or elsewhere, and that is written down."""
    asked_at = reservation.asked_at
    _wait_for_search(asked_at)
    if await queries.is_held(reservation.order_id) or await queries.is_struck_off(reservation.item_id):
        return None  # its money goes back, and our first try did not reach the supplier
    offer = await catalog.offer(reservation.product_id, queries.other_offer(reservation))
    try:
        # After a failed try without a clear reason: is the product still there at all?
        if asked_at is None or await supplier.is_sold(offer.supplier_product_id):
            return await _ask(reservation, offer, supplier)
    except ProductUnavailable as unavailable:
        if unavailable.may_have_happened:
            raise TooEarly(SEARCH_LAG) from None
    except OrderFailed:
        # Said without a reason, with or without an effect (kinguin.md, 6): look again before the next try.
        raise TooEarly(SEARCH_LAG) from None
    except InsufficientBalance:
        await _unfunded(reservation)
        raise
    await _elsewhere(reservation, offer, supplier, commit)
    return None


def _wait_for_search(asked_at: datetime | None) -> None:
    if asked_at is not None and (passed := clock.now() - asked_at) < SEARCH_LAG:
        raise TooEarly(SEARCH_LAG - passed)


async def _ask(reservation: models.Reservation, offer: Offer, supplier: Supplier) -> SupplierOrder:
    # Written before asking: a lost answer is then looked for, not bought again. Of two that ask at once one may.
    asked_at = await db.fetch_value(
        """UPDATE reservation SET asked_at = $2 WHERE id = $1 AND status = 'requested'
           AND asked_at IS NOT DISTINCT FROM $3 RETURNING asked_at""",
        reservation.id, clock.now(), reservation.asked_at,
    )  # fmt: skip
    if asked_at is None:
        raise TooEarly(SEARCH_LAG)
    try:
        return await supplier.buy(
            external_id=str(reservation.id),
            product_id=offer.supplier_product_id,
            quantity=reservation.quantity,
            max_unit_price=reservation.price_limit,
            text_only=offer.text_keys,
        )
    except ProviderError as error:
        if not error.may_have_happened:
            # Nothing was bought for certain, so there is nothing a lagging search could hide from the next try.
            sql = "UPDATE reservation SET asked_at = NULL WHERE id = $1 AND asked_at = $2 AND status = 'requested'"
            await db.fetch(sql, reservation.id, asked_at)
        raise


async def _elsewhere(reservation: models.Reservation, gone: Offer, supplier: Supplier, commit: Commit) -> None:
    """The offer is gone and nothing was bought: choose another one of the same game, or end the item.

    Raises TooEarly once another is chosen: it is tried under the same external id, as the next attempt of the job.
    """
    if supplier.listing is not None:
        await shelves.refresh(gone.supplier_product_id, listing=supplier.listing)
    found = await catalog.offers(reservation.product_id, most=reservation.price_limit, quantity=reservation.quantity)
    # Where an earlier try may yet turn out to have bought, only its own supplier can be asked about it.
    certain = reservation.asked_at is None
    other = next((o for o in found if o != gone and (certain or o.supplier == gone.supplier)), None)
    if other is None:
        cause = await _cause(reservation)
        async with commit(), orders.changing(reservation.order_id):
            await track.close(reservation, ReservationStatus.OUT_OF_STOCK, cause)
        return
    async with orders.changing(reservation.order_id):
        taken = await db.fetch_value(
            """UPDATE reservation SET supplier = $2, supplier_product_id = $3, asked_at = NULL, updated_at = $4
               WHERE id = $1 AND status = 'requested' RETURNING true""",
            reservation.id, other.supplier, other.supplier_product_id, clock.now(),
        )  # fmt: skip
        if taken:
            await history.record(reservation.order_id, "supply.alternative", item=str(reservation.item_id))
    raise TooEarly(ANOTHER_OFFER, "the offer was gone: trying another one of the same game")


async def _cause(reservation: models.Reservation) -> str:
    product = await catalog.for_purchase(reservation.product_id)
    if product.stock < reservation.quantity:
        return failure_reasons.SOLD_OUT
    return failure_reasons.TOO_DEAR if product.cost > reservation.price_limit else failure_reasons.REFUSED


async def _unfunded(reservation: models.Reservation) -> None:
    """Our balance is too low: a person has to top it up, and hears of it once an order."""
    async with orders.changing(reservation.order_id) as order:
        if order is None or order.status != "paid" or await queries.is_struck_off(reservation.item_id):
            return
        await Reservation.update({Reservation.cause: failure_reasons.UNFUNDED}).where(Reservation.id == reservation.id)
        code, said = IssueCode.SUPPLY_UNFUNDED, failure_reasons.UNFUNDED
        if await orders.open_reason(reservation.order_id, code, said):
            await history.record(reservation.order_id, "supply.unfunded", item=str(reservation.item_id))
            log.get("bitloot.fulfillment").error("supply.unfunded", order_id=str(reservation.order_id))


async def _reserved(reservation: models.Reservation, bought: SupplierOrder) -> None:
    """The supplier has our order. Under the order's lock."""
    order_id = reservation.order_id
    row = await move(
        Reservation, reservation.id, ReservationStatus.RESERVED, MOVES,
        also={
            Reservation.supplier_order_id: bought.order_id,
            Reservation.charged: bought.charged,
            Reservation.cause: None,
            Reservation.next_check_at: clock.now() + timedelta(seconds=track.FIRST_CHECK),
            Reservation.updated_at: clock.now(),
        },
    )  # fmt: skip
    if row is None:
        return
    if bought.charged is not None:
        await ledger.supply(order_id, reservation.id, bought.charged)
    await orders.resolve_reasons(order_id, {IssueCode.SUPPLY_UNFUNDED})
    await history.record(order_id, "supply.reserved", item=str(reservation.item_id))
    await track.post_check(reservation.id, order_id)
