"""From paid to keys, a step a job: reserve (look, then buy), check (ask how it stands), collect (fetch and seal).

Every step may run twice, late or at once with another: what it does outside is idempotent by the reservation's id,
and what it does inside is a guarded move.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.catalog import queries as catalog
from app.catalog.pricing import most_we_pay
from app.core import clock, db
from app.core.backoff import growing
from app.core.errors import Conflict
from app.core.ids import new_id
from app.core.machine import move
from app.core.settings import settings
from app.fulfillment import queries
from app.fulfillment.states import MOVES, ReservationStatus
from app.fulfillment.tables import Reservation
from app.history import service as history
from app.jobs import service as jobs
from app.keys import queries as key_rows
from app.keys import service as keys
from app.orders import service as orders
from app.providers.kinguin import Kinguin, OrderFailed, ProductUnavailable, SupplierOrder
from app.providers.storage import ObjectStore

Commit = Callable[[], AbstractAsyncContextManager[None]]

OPEN = {ReservationStatus.RESERVED, ReservationStatus.READY}  # bought, and not all of its keys are ours yet
SEARCH_LAG = timedelta(seconds=20)  # how long a new order may stay invisible to the supplier's search (kinguin.md, 4)
FIRST_CHECK, CHECK_FACTOR, LONGEST_CHECK = 2.0, 1.6, 900.0  # seconds between looks at an order in progress
SILENCE = timedelta(hours=24)  # after this a person has to look
CHECKS_A_SWEEP = 20
RECHECK_LEASE = timedelta(minutes=2)  # a check that got lost is posted again after this long


@dataclass
class TooEarly(Exception):
    """An answer was lost and the supplier's search may lag: look again after ``wait`` before buying anything."""

    wait: timedelta


class NotRetryable(Conflict):
    title = "This item can't be retried"


async def reserve(item_id: UUID, *, kinguin: Kinguin, commit: Commit) -> None:
    """Buy one item, unless the supplier already has our order for it."""
    reservation = await _reservation(item_id)
    if reservation is None or reservation["status"] != ReservationStatus.REQUESTED:
        return
    external_id = str(reservation["id"])
    bought = await kinguin.find(external_id)
    if bought is None:
        _wait_for_search(reservation["asked_at"])
        if reservation["asked_at"] and await _withdrawn(reservation, kinguin):
            async with commit():
                await _close(reservation, ReservationStatus.OUT_OF_STOCK, "the supplier does not sell it any more")
            return
        try:
            bought = await _buy(reservation, external_id, kinguin)
        except ProductUnavailable as unavailable:
            if unavailable.may_have_happened:
                raise TooEarly(SEARCH_LAG) from None
            async with commit():
                await _close(reservation, ReservationStatus.OUT_OF_STOCK, "not to be had at our price any more")
            return
        except OrderFailed:
            # Said without a reason, with or without an effect (kinguin.md, 6): look again before the next try.
            raise TooEarly(SEARCH_LAG) from None
    async with commit():
        await _reserved(reservation, bought)


async def _reservation(item_id: UUID) -> dict[str, Any] | None:
    """The item's one reservation, made on first use; None unless its order is paid for."""
    item = await queries.item_to_buy(item_id)
    if item is None:
        return None
    paid_per_unit = item["unit_price"] * (item["total"] / item["subtotal"])
    await db.fetch(
        """INSERT INTO reservation (id, order_id, item_id, status, quantity, price_limit, created_at, updated_at)
           VALUES ($1, $2, $3, 'requested', $4, $5, $6, $6) ON CONFLICT (item_id) DO NOTHING""",
        new_id(), item["order_id"], item_id, item["quantity"], most_we_pay(paid_per_unit, settings().eur_rate),
        clock.now(),
    )  # fmt: skip
    return await queries.of_item(item_id)


def _wait_for_search(asked_at: datetime | None) -> None:
    if asked_at is not None and (passed := clock.now() - asked_at) < SEARCH_LAG:
        raise TooEarly(SEARCH_LAG - passed)


async def _withdrawn(reservation: dict[str, Any], kinguin: Kinguin) -> bool:
    """After a failed try without a clear reason: is the product still there at all?"""
    product = await catalog.for_purchase(reservation["product_id"])
    return await kinguin.product(product["supplier_product_id"]) is None


async def _buy(reservation: dict[str, Any], external_id: str, kinguin: Kinguin) -> SupplierOrder:
    product = await catalog.for_purchase(reservation["product_id"])
    # Written before asking: a lost answer is then looked for, not bought again. Of two that ask at once one may.
    asked = await db.fetch_value(
        """UPDATE reservation SET asked_at = $2 WHERE id = $1 AND status = 'requested'
           AND asked_at IS NOT DISTINCT FROM $3 RETURNING true""",
        reservation["id"], clock.now(), reservation["asked_at"],
    )  # fmt: skip
    if not asked:
        raise TooEarly(SEARCH_LAG)
    return await kinguin.reserve(
        external_id=external_id,
        product_id=product["supplier_product_id"],
        quantity=reservation["quantity"],
        max_unit_price=reservation["price_limit"],
        text_only=product["text_keys"],
    )


async def _reserved(reservation: dict[str, Any], bought: SupplierOrder) -> None:
    await orders.lock(reservation["order_id"])
    row = await move(
        Reservation, reservation["id"], ReservationStatus.RESERVED, MOVES,
        also={
            Reservation.supplier_order_id: bought.order_id,
            Reservation.charged: bought.charged,
            Reservation.next_check_at: clock.now() + timedelta(seconds=FIRST_CHECK),
            Reservation.updated_at: clock.now(),
        },
    )  # fmt: skip
    if row is None:
        return
    await history.record(reservation["order_id"], "supply.reserved", item=str(reservation["item_id"]))
    await _post_check(reservation["id"], reservation["order_id"])


async def _post_check(reservation_id: UUID, order_id: UUID) -> None:
    args = {"reservation_id": str(reservation_id)}
    await jobs.post("fulfillment.check", args, subject=order_id, dedupe=f"check:{reservation_id}")


async def hint(supplier_order_id: str) -> str:
    """The supplier says that something happened to an order: ask, believe nothing. Returns the words for the log."""
    reservation = await queries.by_supplier_order(supplier_order_id)
    if reservation is None:
        return "ignored: no order of ours"
    if reservation["status"] not in OPEN:
        return f"ignored: the reservation is already {reservation['status']}"
    await _post_check(reservation["id"], reservation["order_id"])
    return "checked with the supplier"


async def check(reservation_id: UUID, *, kinguin: Kinguin, commit: Commit) -> None:
    """Ask the supplier how an order stands, and go on from there."""
    reservation = await queries.one(reservation_id)
    if reservation is None or reservation["status"] not in OPEN:
        return
    found = await kinguin.get_delivered(reservation["supplier_order_id"])
    have = len(await key_rows.supplier_ids(reservation["item_id"]))
    async with commit():
        await orders.lock(reservation["order_id"])
        if found.delivered > have:
            await _collectable(reservation, found)
        elif found.status in {"canceled", "refunded"}:
            ending = ReservationStatus.CANCELLED if found.status == "canceled" else ReservationStatus.REFUNDED
            await _close(reservation, ending, f"the supplier has {found.status} our order")
        else:
            await _look_later(reservation)


async def _collectable(reservation: dict[str, Any], found: SupplierOrder) -> None:
    if found.delivered >= reservation["quantity"]:
        also = {Reservation.next_check_at: None}
        if await move(Reservation, reservation["id"], ReservationStatus.READY, MOVES, also=also) is not None:
            await history.record(reservation["order_id"], "supply.ready", item=str(reservation["item_id"]))
    else:
        await _look_later(reservation)
    await jobs.post(
        "keys.collect", {"reservation_id": str(reservation["id"])}, subject=reservation["order_id"],
        dedupe=f"collect:{reservation['id']}",
    )  # fmt: skip


async def _look_later(reservation: dict[str, Any]) -> None:
    wait = growing(reservation["checks"], first=FIRST_CHECK, factor=CHECK_FACTOR, longest=LONGEST_CHECK)
    await Reservation.update(
        {
            Reservation.next_check_at: clock.now() + wait,
            Reservation.checks: reservation["checks"] + 1,
            Reservation.updated_at: clock.now(),
        }
    ).where(Reservation.id == reservation["id"], Reservation.status.is_in([s.value for s in OPEN]))
    if clock.now() - reservation["created_at"] > SILENCE:
        await orders.park(reservation["order_id"], "the supplier has not delivered for a day")


async def _close(reservation: dict[str, Any], ending: ReservationStatus, cause: str) -> None:
    """The supplier will not deliver this item: say so, stop asking, and put the order before a person."""
    await orders.lock(reservation["order_id"])
    also = {Reservation.cause: cause, Reservation.next_check_at: None, Reservation.updated_at: clock.now()}
    if await move(Reservation, reservation["id"], ending, MOVES, also=also) is not None:
        await orders.item_failed(reservation["order_id"], reservation["item_id"], cause)


async def collect(reservation_id: UUID, *, kinguin: Kinguin, store: ObjectStore, commit: Commit) -> None:
    """Fetch the keys that are there, seal and store those that are new, and close the item when all are."""
    reservation = await queries.one(reservation_id)
    if reservation is None or reservation["status"] not in OPEN:
        return
    item_id, order_id = reservation["item_id"], reservation["order_id"]
    have = await key_rows.supplier_ids(item_id)
    fetched = [k for k in await kinguin.keys(reservation["supplier_order_id"]) if k.id not in have]
    fetched = fetched[: reservation["quantity"] - len(have)]
    sealed = await keys.seal(order_id, item_id, fetched, first_ordinal=len(have), store=store)
    async with commit():
        await orders.lock(order_id)
        await keys.keep(order_id, item_id, sealed)
        await _collected(reservation, len(have) + len(sealed), new=len(sealed))


async def _collected(reservation: dict[str, Any], total: int, *, new: int) -> None:
    order_id, item_id = reservation["order_id"], reservation["item_id"]
    if new:
        await history.record(order_id, "key.sealed", item=str(item_id), ready=total, of=reservation["quantity"])
    if total < reservation["quantity"]:
        # Ready was said too early, or this is a partial delivery: the sweep asks again.
        await _look_later(reservation)
        return
    if reservation["status"] == ReservationStatus.RESERVED:
        await move(Reservation, reservation["id"], ReservationStatus.READY, MOVES)
    done = {Reservation.next_check_at: None, Reservation.updated_at: clock.now()}
    if await move(Reservation, reservation["id"], ReservationStatus.DELIVERED, MOVES, also=done) is not None:
        await orders.item_fulfilled(order_id, item_id)


async def retry_item(item_id: UUID) -> None:
    """An admin tries a sold-out item again: nothing was bought, so the same reservation may ask once more."""
    async with db.transaction():
        reservation = await queries.of_item(item_id)
        if reservation is None:
            raise NotRetryable("Nothing was asked of the supplier for this item yet.")
        order = await orders.lock(reservation["order_id"])
        again = {
            Reservation.asked_at: None,
            Reservation.cause: None,
            Reservation.price_limit: await _new_limit(item_id),
        }
        if order is None or order["status"] != "paid":
            raise NotRetryable("Only an item of a paid order can be retried.")
        if await move(Reservation, reservation["id"], ReservationStatus.REQUESTED, MOVES, also=again) is None:
            raise NotRetryable(f"The reservation is {reservation['status']}: it can't be asked for again.")
        await orders.item_retried(reservation["order_id"], item_id)
        await jobs.post("fulfillment.reserve", {"item_id": str(item_id)}, subject=reservation["order_id"])


async def _new_limit(item_id: UUID) -> Decimal:
    """A person who retries accepts today's price, even where it leaves no margin."""
    reservation = await queries.of_item(item_id)
    assert reservation is not None
    product = await catalog.for_purchase(reservation["product_id"])
    return max(Decimal(reservation["price_limit"]), Decimal(product["cost"]))


async def post_due_checks() -> int:
    """Post a check for each reservation that is due for one; the clock's sweep. Returns how many."""
    now = clock.now()
    async with db.transaction():
        rows = await db.fetch(
            """WITH due AS MATERIALIZED (
                 SELECT id FROM reservation WHERE next_check_at <= $1
                 ORDER BY next_check_at LIMIT $3 FOR UPDATE SKIP LOCKED)
               UPDATE reservation SET next_check_at = $2 FROM due WHERE reservation.id = due.id
               RETURNING reservation.id, order_id""",
            now, now + RECHECK_LEASE, CHECKS_A_SWEEP,
        )  # fmt: skip
        for row in rows:
            await _post_check(row["id"], row["order_id"])
    return len(rows)
