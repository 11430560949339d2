"""Weighing an order anew when money of it is promised to a refund, or is free again as that is not sent after all.

What arrived meanwhile was weighed without that money, so that the whole price may be there and nobody say so.
"""

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from app.core import clock
from app.core.money import Money
from app.history import service as history
from app.issues.codes import IssueCode
from app.ledger import uses
from app.ledger.tolerance import tolerance
from app.orders import service as orders
from app.orders.models import Order
from app.payments import models, owed, queries
from app.payments.api_status import EVENTS, word
from app.payments.classify import COIN_UNIT, WIDE, OrderMoney, Outcome
from app.payments.create import given_back
from app.payments.handle_report import money_of_order, settle
from app.payments.tables import Payment

WEIGHED = {"waiting", "confirming", "underpaid", "expired"}  # states of an order that its money can still pay
TO_WEIGH = (Outcome.UNDERPAID, Outcome.NOT_NEEDED)  # outcomes that were right only while money was promised otherwise
TOO_LATE = "paid late, and no longer sold at this price: the customer is asked"


async def reweigh(order_id: UUID) -> bool:
    """Let an order take its price out of what is free of its money, under its lock.

    True if that pays it, or where it is not sold any more at its price and its customer is asked. One whose money goes
    back by another refund stays as it is.
    """
    order = await orders.reread(order_id)
    if order.status not in WEIGHED or given_back(order):
        return False
    now = await money_of_order(order)
    if not now.brought:
        return False
    missing = now.total - now.brought
    if missing > 0 and not (await tolerance(order.currency)).takes(missing, now.total):
        await _still_short(order, missing)
        return False
    late = now.late and not now.sellable
    weighed = await _weigh(order, now, Outcome.LATE if late else Outcome.PAID_LATE if now.late else Outcome.PAID)
    if late:
        return weighed is not None and await _ask(order, weighed)  # else its customer was asked before
    await orders.resolve_reasons(order_id, orders.OWED)  # what is too much is named anew
    await settle(order, late=now.late)
    await owed.excess(order)
    return True


async def _still_short(order: Order, missing: Decimal) -> None:
    """An order that stood as if nothing had come has part of its price again."""
    if order.status == "waiting" and order.merchant_id is not None:
        await orders.underpaid(order.id, money=Money(missing, order.currency).as_json())
    await _name_missing(order, missing)


async def promised(order: Order) -> None:
    """Money of an order goes back, in the surrounding transaction. Where none of it is left to be decided on, nobody
    has to look at it for that any more; of an underpaid one, more than before is missing."""
    order_id: UUID = order.id
    if (await uses.funds(order_id)).undecided.amount:
        now = await money_of_order(order)
        await _name_missing(order, now.total - now.brought)
    else:
        await orders.resolve_reasons(order_id, orders.OWED)


async def _name_missing(order: Order, missing: Decimal) -> None:
    """Where a person reads what is missing, let it be what the order's page asks for now."""
    if missing > 0 and await orders.has_reason(order.id, {IssueCode.UNDERPAID}):
        said = f"underpaid: {Money(missing, order.currency)} is missing"
        await orders.open_reason(order.id, IssueCode.UNDERPAID, said)


async def _weigh(order: Order, now: OrderMoney, outcome: Outcome) -> models.Payment | None:
    """Name each payment's outcome anew, what is too much in the newest of them. Returns the one that pays the rest."""
    left, paying = max(now.brought - now.total, Decimal(0)), None
    for payment in await queries.of_order(order.id):
        if payment.outcome not in TO_WEIGH:
            continue
        excess = min(payment.value, left)
        left -= excess
        if excess == payment.value:
            to = Outcome.NOT_NEEDED
        elif paying is None:
            paying = payment
            to = Outcome.OVERPAID if excess and outcome is Outcome.PAID else outcome
        else:
            to = Outcome.UNDERPAID
        await _name(order, payment, to, excess)
    return paying


async def _name(order: Order, payment: models.Payment, to: Outcome, excess: Decimal) -> None:
    coins = excess * (payment.pay_amount or Decimal(0)) / payment.price_amount
    owed_back = coins.quantize(COIN_UNIT, context=WIDE)
    after_it = msgspec.structs.replace(payment, outcome=to.value, excess=excess, owed_back=owed_back)
    changed: dict[Any, Any] = {"outcome": to.value, "excess": excess, "owed_back": owed_back, "updated_at": clock.now()}
    await Payment.update(changed).where(Payment.id == payment.id)
    before, after = word(payment), word(after_it)
    if order.merchant_id is not None and after != before and after in EVENTS:
        named = {"payment": payment.provider_payment_id, "payment_id": str(payment.id)}
        await history.record(order.id, EVENTS[after], **named)


async def _ask(order: Order, payment: models.Payment) -> bool:
    """The price is there, and the order is not sold at it any more: its customer says what becomes of the money."""
    await orders.resolve_reasons(order.id, orders.OWED)
    await orders.open_reason(order.id, IssueCode.PAID_LATE, TOO_LATE)
    said = {"why": TOO_LATE, "outcome": Outcome.LATE.value}
    await history.record(order.id, "payment.late", **said)
    await owed.tell(order, payment, Outcome.LATE, payment.pay_currency)
    return True
