"""What a timeline's events are called before admins: the customer's words, and words for what is for our eyes alone."""

from decimal import Decimal

from app.core.money import Money
from app.history.models import Event
from app.orders.models import Order
from app.orders.parking import BETWEEN, OF_MONEY
from app.web.store.order_texts import EVENTS, event_text

WORDS = {kind: words for kind, (_, words) in EVENTS.items()} | {
    "order.confirming": "Waiting for the network to confirm the payment",
    "order.underpaid": "Waiting for the rest of the money",
    "key.shown_to_staff": "A key was opened by staff",
    "payment.accepted": "A payment was accepted by an admin",
    "payment.adopted": "A payment we didn't know of was found",
    "payment.sending": "The payment provider is forwarding the money",
    "payment.finished": "The payment provider has the money",
    "payment.refunded": "The payment provider returned the money",
    "supply.slow": "Takes longer than usual",
    "supply.late": "Takes longer than the set time: the customer may take the money back",
    "supply.withdrawn": "The customer took the money back for keys that did not come",
    "supply.returned": "Key given back to the supplier",
    "supply.return_refused": "The supplier did not take the key back",
    "ledger.differs": "The ledger does not balance",
    "ledger.balanced": "The ledger balances again",
}


MERCHANTS = {"order.waiting": "Waiting for payment", "order.fulfilled": "Done: the merchant delivers"}


def reason(cause: str | None) -> str | None:
    """Why an order waits for a person, a sentence for each reason: without the mark of those that money settles."""
    said = [one.removeprefix(OF_MONEY) for one in cause.split(BETWEEN)] if cause else []
    return ". ".join(one[:1].upper() + one[1:] for one in said) or None


def text(order: Order, event: Event) -> str:
    words = WORDS.get(event.kind, event.kind)
    if event.kind == "payment.parked":
        words = event_text(event)
    if order.merchant_id is not None:
        words = MERCHANTS.get(event.kind, words)
    why = event.data.get("why") or event.data.get("cause")
    if event.kind == "credit.returned":
        why = str(Money(Decimal(event.data["amount"]), event.data["currency"]))
    return f"{words}: {why}" if why else words
