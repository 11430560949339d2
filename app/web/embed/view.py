"""A merchant's order as its checkout shows it: one thing at a time."""

from decimal import Decimal

from app.contract import payment as contract_payment
from app.core.i18n import _
from app.core.money import Money
from app.orders.models import Order
from app.payments import api_status
from app.payments import queries as payments
from app.payments.models import Payment
from app.web.embed import texts
from app.web.embed.checkout_session import CheckoutSession
from app.web.embed.orders import PAID, current
from app.web.store import order_money
from app.web.store.checkout import coin_choices
from app.web.store.pay_to import pay_to

CLOSED = {"refunded", "cancelled", "failed", "expired"}
ASKING = {"pay", "confirming", "short"}
NAMED = ASKING  # phases that say something of the payment's coins; the address stands in ``pay`` alone
PROCESSING = {"card": "processing", "upi": "approve"}


async def build(session: CheckoutSession, *, again: str = "") -> dict[str, object]:
    """What ``embed/checkout`` shows. ``again``: the attempt whose end the customer has read and left behind."""
    order = session.order
    attempts, coins = await payments.of_order(order.id), await payments.coins()
    attempt = current(attempts)
    phase = phase_of(order, attempt, again)
    if phase in ASKING and attempt and not order_money.takes(attempt, attempts):
        phase = "parked"
    headline, next_words = texts.PHASES[phase]
    method = attempt.method if attempt else ""
    if phase == "failed" and attempt:
        next_words = texts.of_failure(api_status.word(attempt), method, attempt.failure)
    total = Money(order.total, order.currency)
    arrived = Money(await payments.received(order.id), order.currency)
    if phase == "choose" and arrived.amount:
        headline, next_words = texts.REST, texts.of_rest(arrived, total)
    return {
        "phase": phase,
        "headline": _(headline),
        "next_words": _(next_words),
        "mark": texts.MARKS[phase],
        "tone": texts.TONES.get(phase, "working"),
        "seen": _seen(order, attempt, phase),
        "again": again,
        "token": session.token,
        "test": session.test,
        "merchant": session.merchant.name,
        "reference": order.reference,
        "total": total,
        "due": max(total - arrived, Money(Decimal(0), order.currency)),
        "attempt": str(attempt.id) if attempt else "",
        "method": method or ("card" if session.test else "crypto"),
        "details": contract_payment.Payment.from_row(attempt, test=session.test).details if attempt else {},
        "payment": pay_to(attempt, coins) if attempt and attempt.pay_address and phase in NAMED else None,
        "coins": await coin_choices(coins, order.currency),
        "cards": [(number, _(does)) for number, does in texts.CARDS],
        "addresses": [(address, _(does)) for address, does in texts.ADDRESSES],
    }


def phase_of(order: Order, attempt: Payment | None, again: str) -> str:
    """Which of ``texts.PHASES`` it is."""
    if order.status in PAID:
        return "paid"
    if order.status in CLOSED:
        return "over"
    if attempt is None:
        return "choose"
    word = api_status.word(attempt)
    if word in {"failed", "expired", "underpaid", "cancelled", "refunded"}:
        if word in {"cancelled", "refunded"} or str(attempt.id) == again:
            return "choose"
        return "short" if word == "underpaid" else "failed"
    if attempt.method in PROCESSING:
        return PROCESSING[attempt.method]
    if word == "pending":
        return "pay" if attempt.pay_address else "preparing"
    return "confirming"


def _seen(order: Order, attempt: Payment | None, phase: str) -> str:
    """Changes when anything on the page does, but for its countdown."""
    paid = (attempt.id, attempt.status, attempt.actually_paid, attempt.failure) if attempt else ()
    return " ".join(map(str, (phase, order.status, *paid)))
