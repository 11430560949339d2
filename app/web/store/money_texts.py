"""What an order's page says when money came otherwise than asked: what arrived, where it is, what comes next."""

from app.core.i18n import N_, _
from app.core.money import Money
from app.orders.models import Order
from app.payments.classify import COUNTS, UNCLEAR, Outcome
from app.payments.customer_choice import Options
from app.payments.models import Payment
from app.payments.owed import coin_name
from app.web.store import order_texts as words
from app.web.store.order_texts import Words

WRONG_COIN = (
    N_("{sent} arrived, but this order asked for {asked}"),
    N_("Your {held} is safe. Don't send more for this order: get it back, or use it as credit."),
    N_("Please choose"),
    "attention",
)
AFTER = {  # the order's status when money came that it did not need any more
    "cancelled": (
        N_("Your money is safe"),
        N_("This order is cancelled, and {held} arrived for it. Choose what happens to it."),
        N_("Please choose"),
        "attention",
    ),
    "refunded": (
        N_("Your money is safe"),
        N_("This order is refunded, and {held} more arrived for it. Choose what happens to it."),
        N_("Please choose"),
        "attention",
    ),
}
ARRIVED = (
    N_("Your money is safe"),
    N_(
        "{held} arrived, and nothing was bought with it yet. Don't send more for this order: choose what happens to it."
    ),
    N_("Please choose"),
    "attention",
)
CHECKING = (
    N_("Your payment is being checked"),
    N_(
        "Our payment provider's report on it is unclear, so a person looks at it. Please don't send more for this "
        "order: we email you."
    ),
    N_("Being checked"),
    "working",
)
SENT_BACK = (
    N_("Your payment was sent back to you"),
    N_("Our payment provider sent it back to where it came from. We keep none of it, and nothing was bought."),
    N_("Payment sent back"),
    "attention",
)
SENT_BACK_PAID = (
    N_("Your payment was sent back to you"),
    N_(
        "Our payment provider sent it back after this order had counted as paid. Our team has been told. Please don't "
        "send anything or order again: we email you."
    ),
    N_("Payment sent back"),
    "attention",
)
FAILED_SEEN = (
    N_("Your payment was seen, but it did not go through"),
    N_(
        "Our payment provider says that it failed after your money had arrived. Our team has been told and asks the "
        "provider where it is. Please don't send more for this order: we email you."
    ),
    N_("Being checked"),
    "attention",
)
CANCELLED_SEEN = (
    N_("This order is cancelled"),
    N_("A payment for it was reported. If its money arrives, you choose here what happens to it."),
    N_("Cancelled"),
    "attention",
)
ENDED = (
    N_("That payment can't be used any more"),
    N_("Don't send anything to its address. Choose a coin below to get a new one: your order is kept."),
    N_("Choose another coin"),
    "attention",
)


async def of_choice(order: Order, attempts: list[Payment], found: Options, *, asked: bool) -> Words | None:
    """For money that waits for its customer; ``asked``: an address still waits for the rest, or for all of it."""
    if order.status in {"paid", "fulfilled"} or asked:
        return None  # its excess has a line of its own
    outcomes = {p.outcome for p in attempts}
    if order.status in AFTER:
        return words.filled(AFTER[order.status], found)
    if not outcomes & set(COUNTS) and Outcome.WRONG_COIN in outcomes:
        return await _wrong_coin(attempts, found.held)
    if order.status == "underpaid" and found.missing is not None:
        return words.filled(words.SHORT, found)
    if order.status == "expired" and outcomes & set(COUNTS):
        return words.filled(words.LATE if found.missing is not None else words.LATE_GONE, found)
    return words.filled(words.HELD if order.status in {"expired", "failed"} else ARRIVED, found)


async def _wrong_coin(attempts: list[Payment], held: Money) -> Words:
    wrong = next(p for p in attempts if p.outcome == Outcome.WRONG_COIN)
    parent = next((p for p in attempts if p.provider_payment_id == wrong.parent_payment_id), wrong)
    sent, asked = await coin_name(wrong.pay_currency), await coin_name(parent.pay_currency)
    if parent is wrong:
        sent, asked = _("Another coin"), asked
    headline, text, title, favicon = WRONG_COIN
    return _(headline).format(sent=sent, asked=asked), _(text).format(held=held), title, favicon


def of_ended(order: Order, attempts: list[Payment], *, asked: bool) -> Words | None:
    """Where no money of the order waits for a choice."""
    if asked or order.status not in {"waiting", "failed", "expired", "underpaid", "cancelled"}:
        return None
    if any(p.outcome in UNCLEAR and not p.value for p in attempts):
        return CHECKING
    over = order.status in {"failed", "expired", "cancelled"}
    if over and any(p.outcome == Outcome.FAILED_WITH_MONEY for p in attempts):
        return FAILED_SEEN
    if over and any(p.status == "refunded" for p in attempts):
        return SENT_BACK
    if order.status == "cancelled":
        return CANCELLED_SEEN if any(map(_reported, attempts)) else None
    return ENDED if order.status == "waiting" and attempts else None


def _reported(payment: Payment) -> bool:
    """Whether any money of it was ever reported, whatever became of it."""
    return bool(
        payment.actually_paid
        or payment.value
        or payment.status not in {"waiting", "expired", "failed"}
        or (payment.outcome or Outcome.EXPIRED) not in {Outcome.EXPIRED, Outcome.FAILED}
    )
