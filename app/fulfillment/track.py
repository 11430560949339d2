"""Following a purchase to its keys: asked about when due, fetched when there, each key once, to the end or a person."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from app.core import clock, db, log
from app.core.money import CENT
from app.core.state_machine import move
from app.fulfillment import customer_letters, failure_reasons, models, outcomes, queries, replace
from app.fulfillment.outcomes import Outcome
from app.fulfillment.states import MOVES, ReservationStatus
from app.fulfillment.tables import Reservation
from app.history import service as history
from app.issues import service as issues
from app.issues.codes import IssueCode
from app.keys import queries as key_rows
from app.keys import reveal as keys
from app.ledger import service as ledger
from app.orders import service as orders
from app.providers.storage import ObjectStore
from app.queue import service as jobs
from app.queue.backoff import growing
from app.queue.polling import take_due
from app.suppliers.models import SupplierKey, SupplierOrder
from app.suppliers.port import Suppliers
from app.suppliers.registry import title_of

Commit = Callable[[], AbstractAsyncContextManager[None]]

OPEN = {ReservationStatus.RESERVED, ReservationStatus.READY}  # bought, and not all of its keys are ours yet
FIRST_CHECK, CHECK_FACTOR = 2.0, 1.6  # seconds between looks at an order in progress, and how that grows
LONGEST_CHECK, PATIENT_AFTER = 900.0, timedelta(hours=1)  # seconds
LONGEST_EARLY = 100.0  # seconds, before that: with every notice lost, keys that are there are ours within two minutes
SILENCE = timedelta(hours=24)  # after this a person has to look
CHECKS_A_SWEEP = 20
RECHECK_LEASE = timedelta(minutes=2)  # a check that got lost is posted again after this long


async def post_check(reservation_id: UUID, order_id: UUID) -> None:
    args = {"reservation_id": str(reservation_id)}
    await jobs.post("fulfillment.check", args, subject=order_id, dedupe=f"check:{reservation_id}")


async def hint(supplier: str, supplier_order_id: str, said: object = None) -> str:
    """A supplier says that something happened to an order: ask, believe nothing. Returns the words for the log."""
    reservation = await queries.by_supplier_order(supplier, supplier_order_id)
    if reservation is None:
        return "ignored: no order of ours"
    if reservation.status not in OPEN:
        return f"ignored: the reservation is already {reservation.status}"
    if reservation.status == ReservationStatus.READY and said == "completed":
        return "ignored: its keys are being fetched already"
    await post_check(reservation.id, reservation.order_id)
    return "checked with the supplier"


async def check(reservation_id: UUID, *, suppliers: Suppliers, commit: Commit) -> None:
    """Ask the supplier how an order stands, and go on from there."""
    reservation = await queries.one(reservation_id)
    if reservation is None or reservation.status not in OPEN:
        return
    found = await suppliers[reservation.supplier].status(reservation.placed_order_id)
    have = await key_rows.supplier_ids(reservation.item_id)
    outcome = outcomes.of(found, reservation.quantity, have)
    async with commit(), orders.changing(reservation.order_id):
        if await queries.is_struck_off(reservation.item_id):
            await _surplus(reservation, found, outcome)
        elif outcome.new or (found.status == outcomes.DONE and not found.keys):
            await _collectable(reservation, outcome)
        elif outcome.short:
            await _ended(reservation, found, outcome)
        else:
            await _look_later(reservation, found)


async def _surplus(reservation: models.Reservation, found: SupplierOrder, outcome: Outcome) -> None:
    """The customer took the money back for what is missing: nothing of it is delivered any more."""
    order_id = reservation.order_id
    if outcome.new:
        await db.fetch("UPDATE reservation SET next_check_at = NULL WHERE id = $1", reservation.id)
        title = title_of(reservation.supplier)
        said = (
            f"{title}'s order {found.order_id} delivered {outcome.new} of its keys after the customer took the money "
            "back. They were not fetched: return them there within 24 hours."
        )
        await issues.open_issue(orders.about(order_id), IssueCode.LATE_DELIVERY, said)
    elif outcome.open == 0:
        ending, cause = outcome.ending if outcome.gone else (ReservationStatus.CANCELLED, failure_reasons.CANCELLED)
        back = _back(reservation, found, outcome)
        if await _end(reservation, ending, cause, {Reservation.refunded: back}):
            await ledger.supply_back(order_id, reservation.id, back)
    else:
        await _look_later(reservation, found)


def _back(reservation: models.Reservation, found: SupplierOrder, outcome: Outcome) -> Decimal:
    """What the supplier gives back, in EUR: all of an order it refunds, else the share of what is gone."""
    gone = reservation.quantity if found.status == "refunded" else outcome.gone
    charged = reservation.charged or Decimal(0)
    return (charged * gone / reservation.quantity).quantize(CENT)


async def _ended(reservation: models.Reservation, found: SupplierOrder, outcome: Outcome) -> None:
    """It is over with units missing: those come from another offer, or their money is due back.

    The supplier keeps what it delivered paid when it cancels, and gives all of it back when it refunds the order.
    """
    ending, cause = outcome.ending
    back = _back(reservation, found, outcome)
    if await _end(reservation, ending, cause, {Reservation.refunded: back}):
        await ledger.supply_back(reservation.order_id, reservation.id, back)
        if not await replace.buy_elsewhere(reservation):
            await customer_letters.item_failed(reservation.order_id, reservation.item_id, cause)


async def _collectable(reservation: models.Reservation, outcome: Outcome) -> None:
    if outcome.came >= reservation.quantity:
        also = {Reservation.next_check_at: None, Reservation.cause: None}
        if await move(Reservation, reservation.id, ReservationStatus.READY, MOVES, also=also) is not None:
            await orders.resolve_reasons(reservation.order_id, {IssueCode.SUPPLY_SILENT})
            await history.record(reservation.order_id, "supply.ready", item=str(reservation.item_id))
    else:
        await _look_later(reservation)
    await jobs.post(
        "fulfillment.collect", {"reservation_id": str(reservation.id)}, subject=reservation.order_id,
        dedupe=f"collect:{reservation.id}",
    )  # fmt: skip


async def _look_later(reservation: models.Reservation, found: SupplierOrder | None = None) -> None:
    age = clock.now() - (reservation.asked_at or reservation.created_at)
    longest = LONGEST_CHECK if age > PATIENT_AFTER else LONGEST_EARLY
    wait = growing(reservation.checks, first=FIRST_CHECK, factor=CHECK_FACTOR, longest=longest)
    changes: dict[Any, Any] = {
        Reservation.next_check_at: clock.now() + wait,
        Reservation.checks: reservation.checks + 1,
        Reservation.updated_at: clock.now(),
    }
    if found is not None and found.status not in outcomes.KNOWN:
        title = title_of(reservation.supplier)
        said = f"{title} calls its order {found.order_id} “{found.status}”, a word we don’t know: look there."
        await issues.open_issue(orders.about(reservation.order_id), IssueCode.SUPPLIER_WORD, said)
    if age > SILENCE:
        changes[Reservation.cause] = failure_reasons.SILENT
        await orders.open_reason(reservation.order_id, IssueCode.SUPPLY_SILENT, failure_reasons.SILENT)
    still_open = Reservation.status.is_in([s.value for s in OPEN])
    await Reservation.update(changes).where(Reservation.id == reservation.id, still_open)


async def close(
    reservation: models.Reservation, ending: ReservationStatus, cause: str, also: dict[Any, Any] | None = None
) -> bool:
    """The supplier will not deliver this item: say so, stop asking, and put the order before a person.

    Under the order's lock.
    """
    if not await _end(reservation, ending, cause, also or {}):
        return False
    await customer_letters.item_failed(reservation.order_id, reservation.item_id, cause)
    return True


async def _end(reservation: models.Reservation, ending: ReservationStatus, cause: str, also: dict[Any, Any]) -> bool:
    changes = {Reservation.cause: cause, Reservation.next_check_at: None, Reservation.updated_at: clock.now()}
    return await move(Reservation, reservation.id, ending, MOVES, also=changes | also) is not None


async def collect(reservation_id: UUID, *, suppliers: Suppliers, store: ObjectStore, commit: Commit) -> None:
    """Fetch the keys that are there, seal and store those that are new, and close the item when all are."""
    reservation = await queries.one(reservation_id)
    if reservation is None or reservation.status not in OPEN:
        return
    item_id, order_id = reservation.item_id, reservation.order_id
    have = await key_rows.supplier_ids(item_id)
    delivered = await suppliers[reservation.supplier].keys(reservation.placed_order_id)
    fetched = [key for key in delivered if key.id not in have]
    fetched = _distinct(order_id, fetched)[: reservation.units - len(have)]
    sealed = await keys.seal(order_id, item_id, fetched, first_ordinal=len(have), store=store)
    async with commit(), orders.changing(order_id):
        if await queries.is_struck_off(item_id):
            await post_check(reservation_id, order_id)  # the money was taken back: says that keys came all the same
            return
        if await key_rows.supplier_ids(item_id) != have:
            return  # a twin of this job was first, and goes on from there
        await keys.keep(order_id, item_id, sealed)
        await _collected(reservation, len(have) + len(sealed), new=len(sealed))


def _distinct(order_id: UUID, fetched: Sequence[SupplierKey]) -> list[SupplierKey]:
    """One unit has one key: the same text under two ids is one key, and the other unit goes on waiting for its own."""
    kept: list[SupplierKey] = []
    for key in fetched:
        if any(key.serial.equals(other.serial) for other in kept):
            log.get("bitloot.fulfillment").error("supply.same_key_twice", order_id=str(order_id), supplier_key=key.id)
        else:
            kept.append(key)
    return kept


async def _collected(reservation: models.Reservation, total: int, *, new: int) -> None:
    order_id, item_id = reservation.order_id, reservation.item_id
    if new:
        await history.record(order_id, "key.sealed", item=str(item_id), ready=total, of=reservation.units)
    if total < reservation.units:
        # Ready was said too early, or this is a partial delivery: what became of the rest is asked at once, then by the
        # sweep.
        await _look_later(reservation)
        if new:
            await post_check(reservation.id, order_id)
        return
    if reservation.status == ReservationStatus.RESERVED:
        await move(Reservation, reservation.id, ReservationStatus.READY, MOVES)
    done = {Reservation.next_check_at: None, Reservation.cause: None, Reservation.updated_at: clock.now()}
    if await move(Reservation, reservation.id, ReservationStatus.DELIVERED, MOVES, also=done) is not None:
        await orders.resolve_reasons(order_id, {IssueCode.SUPPLY_SILENT})
        await orders.item_fulfilled(order_id, item_id)


async def post_due_checks() -> int:
    """Post a check for each reservation that is due for one; the clock's sweep. Returns how many."""
    async with db.transaction():
        found = await take_due(Reservation, put_off=RECHECK_LEASE, most=CHECKS_A_SWEEP)
        for due in found:
            await post_check(due.id, due.order_id)
    return len(found)
