"""The customer takes the money back for keys that don't come: never for one that was delivered, nor the other way.

Both are decided under the order's lock. Where no key is there, all of the order's money goes back, and what the
supplier delivers later stays locked. Where some are there, the missing units are struck off their items, and no key is
fetched for them any more.
"""

from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from uuid import UUID

from app.catalog import codes, credits
from app.core import db
from app.core.errors import Conflict
from app.core.ids import new_id
from app.core.money import CENT, Money
from app.fulfillment.models import ItemUnits
from app.history import queries as timelines
from app.history import service as history
from app.keys import reveal as keys
from app.ledger import uses
from app.ledger.states import UseKind
from app.orders import service as orders
from app.orders.models import Order
from app.queue import service as jobs

REASON = "not delivered in time"  # of the refund; app.mail.reasons has its words for the customer
LATE = "supply.late"  # the event after which a customer may withdraw


class NothingToWithdraw(Conflict):
    title = "There is no money to take back for this order right now"


@dataclass(frozen=True, slots=True)
class Missing:
    """Units whose key is not there.

    ``share``: of the order's money; ``kept``: of it, what the other units cost; ``credit``: of the store credit that
    the order took. ``whole``: nothing of it is there, and nothing else of it is awaited.
    """

    units: dict[UUID, int]
    share: Money
    kept: Money
    credit: Money
    whole: bool


async def offered(order: Order) -> Missing | None:
    """What the customer of a paid order may have back now; None while its keys may well come in time."""
    if order.status != "paid" or order.frozen_at is not None or order.merchant_id is not None:
        return None
    late = await timelines.has(order.id, LATE)
    if order.fulfillment_status != "failed" and not late:
        return None
    found = await missing(order, failed_only=not late)
    funds = await uses.funds(order.id)
    # Less what is promised or gone already, also by hand: what was given back counts for the units that did not come.
    left = max(funds.price - funds.from_price - funds.due - found.kept.amount, Decimal(0))
    found = replace(found, share=min(found.share, Money(left, funds.currency), funds.returnable))
    return found if found.units and (found.share.amount > 0 or found.credit.amount > 0) else None


async def missing(order: Order, *, failed_only: bool) -> Missing:
    """The units whose key is not there, of all of an order's items or of those that failed, and what was paid for
    them."""
    rows = await db.fetch_as(
        ItemUnits,
        """SELECT i.id, i.unit_price, i.status, i.quantity - i.withdrawn - count(k.id) AS missing,
             i.quantity - i.withdrawn AS units,
             count(k.id) AS delivered
           FROM order_item i LEFT JOIN sealed_key k ON k.item_id = i.id WHERE i.order_id = $1
           GROUP BY i.id ORDER BY i.position""",
        order.id,
    )
    awaited = [row for row in rows if row.missing > 0]
    gone = [row for row in awaited if row.status == "failed" or not failed_only]
    whole = len(gone) == len(awaited) and not any(row.delivered for row in rows)
    listed = sum((row.unit_price * row.missing for row in gone), Decimal(0))
    others = sum((row.unit_price * row.units for row in rows), Decimal(0)) - listed
    by_credit = order.discount if credits.is_credit(order.discount_code) else Decimal(0)
    share, kept, credit = (
        _part(order, paid, of) for paid, of in ((order.total, listed), (order.total, others), (by_credit, listed))
    )
    return Missing({row.id: row.missing for row in gone}, share, kept, credit, whole)


def _part(order: Order, paid: Decimal, listed: Decimal) -> Money:
    """What was paid of ``paid`` for units of the order whose prices sum to ``listed``."""
    part = paid * listed / order.subtotal if order.subtotal else Decimal(0)
    return Money(part.quantize(CENT, ROUND_DOWN), order.currency)


async def withdraw(order_id: UUID) -> Money:
    """Take the money back for all that is missing. Returns how much. Raises NothingToWithdraw.

    From here on nothing more of it is bought or shown; its refund is asked for by a job of the same transaction. Store
    credit is back at once, unless an order's whole money goes back: then with it.
    """
    async with orders.changing(order_id) as order:
        found = await offered(order) if order else None
        if order is None or found is None:
            raise NothingToWithdraw("Your key has arrived, or may still arrive in time. Reload the page.")
        back = (await uses.funds(order_id)).returnable if found.whole else found.share
        if found.whole:
            await orders.freeze(order_id)
            await keys.lock(order_id)
        else:
            await _strike_off(order, found)
        said = {"amount": found.share.as_json(), "units": sum(found.units.values())}
        await history.record(order_id, "supply.withdrawn", **said)
        if back.amount:
            use_id = await uses.reserve(order_id, UseKind.REFUND, back, f"withdrawal:{new_id()}")
            args = {"order_id": str(order_id), "reason": REASON, "use_id": str(use_id), **back.as_json()}
            await jobs.post("refunds.request", args, subject=order_id)
        elif found.whole:
            await undone(order_id)
    return found.share


async def undone(order_id: UUID) -> bool:
    """Credit alone paid the order, and nothing of it comes: it is back at once. False where money came in for it."""
    if (await uses.funds(order_id)).received:
        return False
    await orders.refunded(order_id)
    args, dedupe = {"order_id": str(order_id)}, f"fulfillment.return_keys:{order_id}"
    await jobs.post("fulfillment.return_keys", args, subject=order_id, dedupe=dedupe)
    return True


async def _strike_off(order: Order, found: Missing) -> None:
    """The missing units are not bought, fetched or waited for any more; the order is done with what came."""
    for item_id, units in found.units.items():
        # What was never asked of the supplier is not asked any more.
        await db.fetch(
            """UPDATE reservation SET status = 'cancelled', next_check_at = NULL
               WHERE item_id = $1 AND status = 'requested' AND asked_at IS NULL""",
            item_id,
        )
        await orders.item_withdrawn(order.id, item_id, units)
    if back := await codes.release_part(order.id, found.credit.amount):
        await history.record(order.id, "credit.returned", **Money(back, order.currency).as_json())
