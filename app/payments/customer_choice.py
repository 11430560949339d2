"""What becomes of money that has bought nothing: its customer says. Refund, credit, or a top-up of what is missing.

Offered is what no use has reserved (``app.ledger.uses``), so that one choice closes what it excludes.
"""

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from enum import StrEnum
from uuid import UUID

from app.catalog import credits
from app.core import db
from app.core.errors import Conflict, Invalid
from app.core.ids import new_id
from app.core.money import Money, plain, smallest
from app.ledger import uses
from app.ledger.states import UseKind
from app.ledger.tolerance import tolerance
from app.orders import service as orders
from app.orders.models import Order
from app.payments import ledger_posting, queries
from app.payments.create import topped_up_in
from app.payments.handle_report import money_of_order, settle
from app.payments.models import Payment
from app.queue import service as jobs

COMPLETED = {"underpaid", "expired"}  # those that more money can still complete
SHOWN = Decimal(1).scaleb(-8)  # of a coin, rounded up: what every wallet can send


class Choice(StrEnum):
    REFUND = "refund"
    CREDIT = "credit"
    TOP_UP = "top_up"


FINAL = {Choice.REFUND, Choice.CREDIT}


class NothingToChoose(Conflict):
    title = "There is nothing to choose for this order"


class NotThatChoice(Invalid):
    title = "That can't be chosen for this order"


@dataclass(frozen=True, slots=True)
class Options:
    """``held``: what the customer could have back. ``missing``: what the order needs beyond it at the price of today,
    also as ``missing_coin`` in ``coin``; None where it is not sold any more. ``repriced``: that price is a new one."""

    held: Money
    missing: Money | None = None
    missing_coin: str = ""
    coin: str = ""
    repriced: bool = False


async def options(order: Order) -> Options | None:
    """What the customer of an order may choose now; None when no money waits for it, or the choice is made."""
    if order.status == "confirming" or order.merchant_id is not None:
        return None  # more is on its way; a merchant settles with its own customers
    held = (await uses.funds(order.id)).undecided
    if not held.amount:
        return None
    base = await queries.largest(order.id)
    if base is None or order.status not in COMPLETED or order.choice in FINAL or order.frozen_at is not None:
        return Options(held)
    now = await money_of_order(order)
    total = order.total if now.sellable else await orders.price_today(order.id)
    if total is None:
        return Options(held)
    missing = max(total - now.brought, Decimal(0))
    asked = base.pay_amount or Decimal(0)
    if (now.brought, total) == (base.value, base.price_amount) and _counted_whole(base):
        coins = max(asked - base.actually_paid, Decimal(0))  # to the last digit of the coin
    else:
        coins = (missing * asked / base.price_amount).quantize(SHOWN, ROUND_UP)
    return Options(held, Money(missing, order.currency), plain(coins), base.pay_currency, not now.sellable)


def _counted_whole(payment: Payment) -> bool:
    """Whether all that arrived counts; of what was credited in part only, a person said how much does."""
    worth = payment.price_amount * payment.actually_paid / (payment.pay_amount or Decimal(1))
    return abs(worth - payment.value) < smallest(payment.price_currency)


async def choose(order_id: UUID, choice: str, *, coin: str | None = None) -> UUID | None:
    """Carry the customer's choice out. Returns the job that makes a top-up's payment, where there is one.

    Raises NothingToChoose, NotThatChoice or CoinNotOffered.
    """
    async with orders.changing(order_id) as order:
        found = await options(order) if order else None
        if order is None or found is None:
            raise NothingToChoose("There is no money left to decide on, or you have already chosen. Reload the page.")
        if choice == Choice.REFUND:
            await _refund(order, found.held)
        elif choice == Choice.CREDIT:
            await _credit(order, found.held)
        elif choice == Choice.TOP_UP and found.missing is not None:
            return await _top_up(order, found, coin)
        else:
            raise NotThatChoice("Choose one of the options on the order's page.", field="choice")
    return None


async def _refund(order: Order, held: Money) -> None:
    order_id: UUID = order.id
    await uses.release(order_id, UseKind.TOP_UP)
    use_id = await uses.reserve(order_id, UseKind.REFUND, held, f"choice:{new_id()}")
    args = {"order_id": str(order_id), "reason": "chosen by the customer", "use_id": str(use_id), **held.as_json()}
    await jobs.post("refunds.request", args, subject=order_id, dedupe=f"refunds.request:{use_id}")
    await _given_back(order, Choice.REFUND, held)


async def _credit(order: Order, held: Money) -> None:
    await uses.release(order.id, UseKind.TOP_UP)
    await ledger_posting.post_credit(order.id, held)
    await credits.give(order.id, order.email, held)
    await _given_back(order, Choice.CREDIT, held)
    if order.status == "underpaid":
        await orders.expire(order.id)


async def _given_back(order: Order, choice: Choice, held: Money) -> None:
    """The money leaves the order; one that only waited for it ends with that."""
    await orders.chose(order.id, choice, amount=held.as_json())
    await orders.resolve_reasons(order.id, orders.OWED)  # what else of its money waits for a person goes on waiting
    if order.status in {"created", "waiting"}:
        await orders.expire(order.id)


async def _top_up(order: Order, found: Options, coin: str | None) -> UUID | None:
    """Ask for what is missing; where prices have changed, at those of today. Nothing missing buys at once."""
    order_id: UUID = order.id
    if found.repriced:
        await orders.reprice(order_id)
        order = await orders.reread(order_id)
    missing = order.total - await queries.received(order_id)
    if (await tolerance(order.currency)).takes(missing, order.total):
        await settle(order, late=True)
        return None
    code, price = await topped_up_in(coin or found.coin, Money(missing, order.currency))
    await uses.keep_for_top_up(order_id)
    await orders.chose(order_id, Choice.TOP_UP, amount=price.as_json(), coin=code)
    args, dedupe = {"order_id": str(order_id), "coin": code}, f"payments.top_up:{order_id}"
    await jobs.post("payments.top_up", args, subject=order_id, dedupe=dedupe)
    return await _newest_job(order_id)


async def _newest_job(order_id: UUID) -> UUID:
    """The newest job that makes a top-up of the order; a pending one is reused."""
    found = await db.fetch_value(
        "SELECT id FROM job WHERE subject = $1 AND name = 'payments.top_up' ORDER BY created_at DESC LIMIT 1", order_id
    )
    return UUID(str(found))
