"""What an order's page says of its money: where to send it, what is missing, what may be chosen, what is owed back."""

from datetime import datetime
from decimal import Decimal

import msgspec

from app.catalog import credits
from app.core.i18n import _
from app.core.money import Money
from app.core.structs import extend
from app.ledger import uses
from app.orders.models import Order
from app.payments import queries as payments
from app.payments import service as paying
from app.payments.classify import BOUGHT, UNASKED, UNCLEAR, Outcome
from app.payments.create import given_back
from app.payments.customer_choice import Options
from app.payments.models import Coin, Payment
from app.web.store import answers, money_texts
from app.web.store import order_texts as words
from app.web.store.answers import Amount
from app.web.store.pay_to import PayTo, pay_to, seconds_left

IN_FLIGHT = {"confirming", "confirmed", "sending"}


class AskedFor(PayTo, frozen=True):
    """A payment as the order's page asks for it. ``rest``: only what is missing of it."""

    price: Money
    rest: bool
    tops_up: bool
    invoice_url: str | None
    expires_at: datetime | None
    status_words: str


class Choices(msgspec.Struct, frozen=True):
    """What the customer may choose to become of money that waits for a word."""

    held: Money
    missing: Money | None
    missing_coin: str
    coin: str
    can_add: bool
    can_get: bool


class Settled(msgspec.Struct, frozen=True):
    """What was chosen: a refund, or credit with its code and what is left of it."""

    choice: str
    code: str | None
    left: Money | None


class MoneyView(msgspec.Struct, frozen=True):
    """``words`` is None where the order's state says all. ``sent_back``: the provider sent back what had paid it."""

    payment: AskedFor | None
    to_pay: bool
    choices: Choices | None
    settled: Settled | None
    owed: Money | None
    sent_back: bool
    words: words.Words | None
    may_pay: bool


def shown(order: Order, attempts: list[Payment]) -> Payment | None:
    """The attempt that counts: one that waits for money or whose money is on its way, else the newest at the provider.

    A further deposit has its parent's address.
    """
    own = [p for p in attempts if p.provider_payment_id and p.parent_payment_id is None]
    moving = next((p for p in own if p.status in IN_FLIGHT), None)
    return open_now(order, attempts) or moving or next(iter(own), None)


def open_now(order: Order, attempts: list[Payment]) -> Payment | None:
    """The newest attempt whose address waits for exactly its amount: it has not ended, and no money of it is parked."""
    if given_back(order):
        return None
    waits = [p for p in attempts if p.status == "waiting" and p.provider_payment_id and takes(p, attempts)]
    if order.status == "waiting":
        return next(iter(waits), None)
    rest = order.status in {"underpaid", "expired"}
    return next((p for p in waits if rest and p.tops_up is not None and seconds_left(p) > 0), None)


def takes(payment: Payment, attempts: list[Payment]) -> bool:
    """Whether its address may be shown: nothing that came there otherwise than asked waits for a person."""
    there = (p for p in attempts if p.parent_payment_id == payment.provider_payment_id)
    return payment.outcome not in UNCLEAR and not any(p.outcome in UNASKED for p in there)


async def of(order: Order, attempts: list[Payment], coins: list[Coin]) -> MoneyView:
    choices, asked = await paying.options(order), open_now(order, attempts)
    rest = None
    if choices and choices.missing and not asked:
        asked = rest = await _still_taking(order, choices, coins, attempts)
    moving = next((p for p in attempts if p.status in IN_FLIGHT), None)
    payment = asked or (moving if order.status == "confirming" else None)
    funds = await uses.funds(order.id) if order.paid_at else None
    owed = funds.free if funds else None
    back = any(p.outcome == Outcome.SENT_BACK for p in attempts)
    unpaid = back and funds is not None and funds.received < funds.price and order.status in BOUGHT
    settled = await _settled(order)
    said = await _words(order, attempts, choices, settled, asked=asked, rest=rest)
    return MoneyView(
        payment=_payment(payment, coins, choices if rest else None) if payment else None,
        to_pay=asked is not None,
        choices=_choices(choices) if choices else None,
        settled=settled,
        owed=owed if owed and owed.amount > 0 else None,
        sent_back=unpaid,
        words=money_texts.SENT_BACK_PAID if unpaid else said,
        may_pay=bool(asked) or (choices is None and said is not money_texts.CHECKING),
    )


async def _still_taking(order: Order, choices: Options, coins: list[Coin], attempts: list[Payment]) -> Payment | None:
    """The partial payment, while its rate is held and the rest is not too little for its coin."""
    base = await payments.largest(order.id)
    if base is None or choices.missing is None or choices.repriced or seconds_left(base) <= 0:
        return None
    if not takes(base, attempts):
        return None
    least = next((c.minimum for c in coins if c.code == base.pay_currency), None)
    return base if choices.missing.amount >= (least or Decimal(0)) and order.status == "underpaid" else None


def _payment(payment: Payment, coins: list[Coin], rest: Options | None) -> AskedFor:
    return extend(
        AskedFor,
        pay_to(payment, coins, rest.missing_coin if rest else ""),
        price=Money(payment.price_amount, payment.price_currency),
        rest=rest is not None,
        tops_up=payment.tops_up is not None,
        invoice_url=payment.invoice_url,
        expires_at=payment.expires_at,
        status_words=_(words.PAYMENT_WORDS.get(payment.status, payment.status)),
    )


def _choices(found: Options) -> Choices:
    return Choices(
        held=found.held,
        missing=found.missing,
        missing_coin=f"{found.missing_coin} {found.coin.upper()}",
        coin=found.coin,
        can_add=found.missing is not None and found.missing.amount > 0,
        can_get=found.missing is not None and found.missing.amount == 0,
    )


async def _settled(order: Order) -> Settled | None:
    """What the customer has chosen to have instead of the goods."""
    if order.choice not in {"refund", "credit"}:
        return None
    credit = await credits.of_order(order.id)
    return Settled(
        choice=order.choice,
        code=credit[0] if credit else None,
        left=credit[1] if credit else None,
    )


async def _words(
    order: Order,
    attempts: list[Payment],
    choices: Options | None,
    settled: Settled | None,
    *,
    asked: Payment | None,
    rest: Payment | None,
) -> words.Words | None:
    if settled and choices is None and order.status in {"underpaid", "expired", "cancelled", "failed"}:
        return words.CHOSEN[settled.choice]
    if order.status == "expired" and any(p.status in IN_FLIGHT for p in attempts):
        return words.SEEN_LATE
    if choices is None:
        return money_texts.of_ended(order, attempts, asked=bool(asked))
    if asked and order.status in {"underpaid", "expired"}:
        return words.filled(words.SHORT if rest else words.TOP_UP, choices)
    return await money_texts.of_choice(order, attempts, choices, asked=bool(asked))


def choices_of(found: Options) -> answers.Choices:
    """What ``POST /orders/{orderId}/choices`` takes."""
    return answers.Choices(
        held=Amount.of(found.held),
        missing=Amount.of(found.missing) if found.missing is not None else None,
        missing_coin=found.missing_coin or None,
        pay_currency=found.coin or None,
        ways=["refund", "credit"] + (["top_up"] if found.missing is not None else []),
    )
