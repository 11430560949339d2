"""Money that came otherwise than asked: its customer is written to, and the order is put before a person by name."""

from decimal import Decimal

from app.core.money import Money
from app.core.settings import settings
from app.issues.codes import IssueCode
from app.ledger import uses
from app.orders import letters
from app.orders import service as orders
from app.orders.models import Order
from app.payments import queries
from app.payments.classify import BOUGHT, Outcome
from app.payments.models import Payment

TOO_MUCH = {Outcome.FURTHER_DEPOSIT, Outcome.NOT_NEEDED}
ENDED = {"cancelled": "cancelled", "expired": "expired", "refunded": "refunded"}  # order's status → word of its letter


async def excess(order: Order) -> None:
    """More than the price arrived: what is owed back is named on the admin's list and in a letter, once an amount."""
    funds = await uses.funds(order.id)
    if not funds.free.amount or order.test:
        return
    if await orders.open_reason(order.id, IssueCode.OVERPAID, f"overpaid: {funds.free} is owed back"):
        await _write_overpaid(order, funds, second=False)


async def _write_overpaid(order: Order, funds: uses.Funds, *, second: bool) -> None:
    if order.merchant_id is None:
        arrived = Money(funds.received, funds.currency)
        await letters.write(order, "overpaid", excess=str(funds.free), arrived=str(arrived), second=second)


async def tell(order: Order, payment: Payment, outcome: Outcome, sent: str) -> None:
    """Write to the customer of money that waits for their word. ``sent``: the code of the coin that arrived."""
    if order.merchant_id is not None:
        return  # a merchant tells its own customers
    funds = await uses.funds(order.id)
    if outcome is Outcome.LATE:
        await _write_late(order, funds)
    elif outcome is Outcome.SENT_BACK:
        await letters.write(
            order, "payment_sent_back", paid=order.status in BOUGHT, delivered=order.status == "fulfilled"
        )
    elif outcome is Outcome.FAILED_WITH_MONEY:
        await letters.write(order, "payment_failed")
    elif outcome is Outcome.UNVALUED:
        await _write_wrong_coin(order, payment, sent)
    elif not funds.undecided.amount:
        return
    elif outcome is Outcome.WRONG_COIN:
        await _write_wrong_coin(order, payment, sent, held=str(funds.undecided))
    elif outcome in TOO_MUCH and order.status in BOUGHT:
        await _write_overpaid(order, funds, second=True)
    elif outcome in TOO_MUCH:
        ended = ENDED.get(order.status, "closed")
        await letters.write(order, "money_after_cancel", held=str(funds.undecided), ended=ended)


async def _write_late(order: Order, funds: uses.Funds) -> None:
    """Name what keeps money that came late from buying: what sold out, or else what costs more by now."""
    gone, dearer = await orders.unsellable(order.id, settings().late_slippage_percent)
    told = {"games": ", ".join(gone or dearer), "amount": str(funds.undecided), "late": True}
    if not funds.undecided.amount or not told["games"]:
        await letters.write(order, "payment_late")
    elif gone:
        await letters.write(order, "sold_out", **told)
    else:
        price = await orders.price_today(order.id)
        missing = max((price or Decimal(0)) - await queries.received(order.id), Decimal(0))
        more = {"missing": str(Money(missing, order.currency))} if missing else {}
        await letters.write(order, "price_jump", **told, **more)


async def _write_wrong_coin(order: Order, payment: Payment, sent: str, **held: str) -> None:
    names = {"sent": await coin_name(sent), "asked": await coin_name(await _asked_coin(payment))}
    await letters.write(order, "wrong_coin", **names, **held)


async def _asked_coin(payment: Payment) -> str:
    parent = await queries.by_provider_id(payment.parent_payment_id) if payment.parent_payment_id else None
    return str((parent or payment).pay_currency)


async def coin_name(code: str) -> str:
    """What people call a coin: by its listed name, else by its code."""
    return next((str(coin.name) for coin in await queries.coins() if coin.code == code), code.upper())
