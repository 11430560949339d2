"""What each state and event is called on the customer's pages. The same thing has one name everywhere."""

import re
from datetime import datetime

import msgspec

from app.history.models import Event
from app.payments.customer_choice import Options

STATUS_WORDS = {  # status → (words, tone)
    "created": ("Preparing payment", "working"),
    "waiting": ("Waiting for payment", "waiting"),
    "confirming": ("Confirming payment", "working"),
    "underpaid": ("Part of the payment is missing", "attention"),
    "paid": ("Paid, getting your key", "working"),
    "fulfilled": ("Key ready", "done"),
    "expired": ("Expired", "muted"),
    "failed": ("Payment failed", "attention"),
    "refunded": ("Refunded", "muted"),
    "cancelled": ("Cancelled", "muted"),
}
PHASES = {
    "created": "preparing",
    "waiting": "pay",
    "confirming": "confirming",
    "underpaid": "underpaid",
    "paid": "processing",
    "fulfilled": "ready",
    "expired": "expired",
    "failed": "failed",
    "refunded": "refunded",
    "cancelled": "cancelled",
}
HEADLINES = {  # phase → (headline, what happens next and how long it takes, short words for the title, favicon)
    "preparing": (
        "Preparing your payment",
        "We are getting a payment address. This takes a few seconds.",
        "Preparing payment",
        "working",
    ),
    "pay": (
        "Send your payment",
        "It usually shows up here about a minute after you send it.",
        "Waiting for payment",
        "waiting",
    ),
    "confirming": (
        "Payment seen, waiting for confirmations",
        "The network is confirming it. How long that takes depends on the coin. You can close this page: we email you.",
        "Confirming payment",
        "working",
    ),
    "underpaid": (
        "Part of the payment is missing",
        "Send the rest to the same address and your order continues by itself.",
        "Payment incomplete",
        "attention",
    ),
    "processing": (
        "Paid. Getting your key",
        "We are buying it from our supplier. You can close this page: we email you when it is ready.",
        "Getting your key",
        "working",
    ),
    "ready": ("Your key is ready", "Reveal it when you want to use it.", "Key ready", "done"),
    "expired": (
        "This payment has expired",
        "No money arrived in time. If you paid, we will see it and write to you.",
        "Expired",
        "attention",
    ),
    "failed": (
        "The payment did not go through",
        "If you paid, we will see it and write to you about your refund.",
        "Payment failed",
        "attention",
    ),
    "refunded": ("This order was refunded", "The money is on its way back to you.", "Refunded", "done"),
    "cancelled": ("This order is cancelled", "Nothing was charged.", "Cancelled", "attention"),
}
USUAL_KEYS = "Most keys arrive within {usual}. You can close this page: we email you when it is ready."
USUAL_CONFIRMATION = "The network usually confirms it within {usual}. You can close this page: we email you."
KEY_SLOW = (
    "Paid. This is taking longer than usual",
    "Most keys arrive within {usual}; yours has not arrived yet. We keep asking our supplier, and "
    "email you when it is ready.",
    "Getting your key",
    "working",
)
KEY_LATE = (
    "Paid. Your key is taking longer than it should",
    "Our supplier has not delivered yet. We keep asking, and our team has been told.",
    "Waiting for our supplier",
    "attention",
)
UNREACHED = (
    "Our emails to {email} don't arrive. This page shows everything they say: bookmark it, and check your address."
)
_PROMISE = re.compile(r"\b(?:we|and) (?:email|write to)\b")
OFFER = "You can wait, or get a refund of {amount} below."
OFFER_CREDIT = "You can wait, or get {amount} of store credit back below."
GOING_BACK = (
    "You are getting your money back",
    "Below you see the status and what we need from you. Please don't send any more for this order.",
    "Being refunded",
    "attention",
)
REFUSED = (
    "That coin can't be used right now",
    "Choose another coin below; your order is kept.",
    "Choose another coin",
    "attention",
)
Words = tuple[str, str, str, str]  # as in HEADLINES
SHORT = (
    "Part of the payment is missing",
    "{held} has arrived. {missing} ({missing_coin}) is missing. Add it below and your order continues by itself.",
    "Payment incomplete",
    "attention",
)
TOP_UP = (
    "Send the rest",
    "{held} has arrived and is safe. Once the rest is here, your order continues by itself.",
    "Payment incomplete",
    "waiting",
)
LATE = (
    "Your payment came late",
    "Your {held} is safe. The price has changed or part of it is missing. Add {missing} ({missing_coin}) to get "
    "your key, or get your money back.",
    "Please choose",
    "attention",
)
LATE_GONE = (
    "Your payment came late",
    "Your {held} is safe, but the game is sold out. Choose what happens to your money.",
    "Please choose",
    "attention",
)
HELD = (
    "Your money is safe",
    "{held} arrived for this order, which has ended. Choose what happens to it.",
    "Please choose",
    "attention",
)
SEEN_LATE = (
    "Your payment is late, but on its way",
    "The network is confirming it. If the game is still sold at its price, you get your key. If "
    "not, you choose what happens to your money. You can close this page: we email you.",
    "Confirming payment",
    "working",
)
CHOSEN = {
    "refund": (
        "You are getting a refund",
        "Tell us below where to send it. Our team checks it, then sends it.",
        "Refund open",
        "working",
    ),
    "credit": (
        "Your money is now store credit",
        "Enter the code below at checkout, with the same email. What you don't use stays yours.",
        "Credit",
        "done",
    ),
}
PROGRESS = {
    "created": 5,
    "waiting": 15,
    "confirming": 40,
    "underpaid": 40,
    "paid": 60,
    "fulfilled": 100,
    "expired": 100,
    "failed": 100,
    "refunded": 100,
    "cancelled": 100,
}
ITEM_WORDS = {
    "pending": "",
    "fulfilled": "Key ready",
    "failed": "Being fixed by our team",
    "withdrawn": "You get your money back",
}
PAYMENT_WORDS = {
    "waiting": "Waiting for your payment to appear on the network.",
    "confirming": "Waiting for the network to confirm it.",
    "confirmed": "Confirmed by the network.",
    "sending": "Nearly there: the payment is being completed.",
    "partially_paid": "Less than asked has arrived.",
    "finished": "Paid in full.",
    "failed": "The payment failed.",
    "refunded": "The payment was sent back.",
    "expired": "The payment has expired.",
}
AUDIT_WORDS = {  # what an order's owner is shown of the audit log
    "key.revealed": "Key revealed",
    "key.shown_to_staff": "Key opened by our team",
    "order.email_asked": "Email change requested",
    "order.email_changed": "Email changed",
    "order.email_kept": "Email change cancelled",
    "refund.address_named": "Refund address given on this page",
    "order.changed_by_staff": "Order changed by our team",
    "key.link_issued": "Download link created",
    "key.denied": "Tried to open a key",
    "key.broken": "A key could not be opened",
    "key.retired": "Key deleted: its storage period is over",
    "order.denied": "Tried to open this order",
}
EVENTS = {  # kind → (icon, words); a kind that is missing here is for our own eyes
    "order.created": ("cart", "Order placed"),
    "key.broken": ("alert", "A key could not be opened: our team was told"),
    "key.retired": ("lock", "Keys deleted after the time named in our terms"),
    "order.waiting": ("coin", "Payment address ready"),
    "order.payable_again": ("refresh", "That payment did not work: you can pay again"),
    "payment.pending": ("coin", "Payment started"),
    "payment.offered": ("coin", "New payment address ready"),
    "payment.cancelled": ("x", "Payment cancelled"),
    "payment.refused": ("alert", "The coin could not be used"),
    "payment.confirming": ("clock", "Payment seen on the network"),
    "payment.confirmed": ("check", "Payment confirmed by the network"),
    "payment.partially_paid": ("alert", "Part of the payment arrived"),
    "payment.expired": ("clock", "The payment address expired"),
    "payment.refunded": ("alert", "The payment provider sent the money back"),
    "payment.failed": ("alert", "The payment failed"),
    "payment.parked": ("alert", "A payment needs a decision"),
    "payment.overpaid": ("coin", "More than asked arrived: you get the difference back"),
    "payment.late": ("alert", "The money arrived late: please choose what happens to it"),
    "payment.short": ("alert", "Another part of the payment arrived"),
    "order.repriced": ("coin", "The order now has today's prices"),
    "order.covered": ("coin", "Paid with your credit"),
    "choice.refund": ("coin", "A refund was chosen"),
    "choice.credit": ("coin", "Store credit was chosen"),
    "choice.top_up": ("coin", "The rest is to be paid"),
    "order.paid": ("check", "Paid in full"),
    "supply.slow": ("clock", "Taking longer than usual: we keep asking our supplier"),
    "supply.late": ("alert", "Taking longer than it should: our team has been told"),
    "supply.withdrawn": ("coin", "A refund was chosen for the keys that did not arrive"),
    "supply.reserved": ("package", "Bought from our supplier"),
    "supply.ready": ("package", "The supplier has the key ready"),
    "supply.failed": ("alert", "The supplier could not deliver. Our team is on it"),
    "supply.retried": ("refresh", "Asking the supplier again"),
    "supply.picked_up": ("refresh", "Work on the order continues"),
    "supply.alternative": ("refresh", "That offer was gone. Trying another one of the same game"),
    "supply.unfunded": ("clock", "Our order at the supplier is delayed"),
    "supply.waiting": ("clock", "Our supplier can't be reached. The order continues by itself"),
    "supply.probed": ("refresh", "Checking whether our supplier is back"),
    "supply.resumed": ("check", "Our supplier is back"),
    "payment.waiting": ("clock", "The payment provider can't be reached. The order continues by itself"),
    "payment.probed": ("refresh", "Checking whether the payment provider is back"),
    "payment.resumed": ("check", "The payment provider is back"),
    "order.given_up": ("alert", "We could not get your key. You get your money back"),
    "key.sealed": ("lock", "Key encrypted and stored"),
    "order.fulfilled": ("key", "Key ready to reveal"),
    "key.revealed": ("eye", "Key revealed"),
    "order.expired": ("clock", "The order expired"),
    "order.failed": ("alert", "The payment failed"),
    "order.cancelled": ("x", "Order cancelled"),
    "order.email_changed": ("mail", "Email changed"),
    "order.refunded": ("coin", "Order refunded"),
    "credit.returned": ("coin", "Store credit returned"),
    "refund.pending": ("coin", "Refund opened"),
    "refund.processing": ("clock", "Refund on its way"),
    "refund.asked": ("coin", "Refund opened: we need your wallet address"),
    "refund.claimed": ("wallet", "Refund address given"),
    "refund.address_checked": ("check", "Refund address checked"),
    "refund.address_refused": ("alert", "The refund address did not work. We need another one"),
    "refund.approved": ("check", "Refund approved"),
    "refund.processed": ("check", "Refund sent"),
    "refund.failed": ("alert", "The refund was not sent"),
    "refund.retried": ("refresh", "Refund reopened"),
}

PARKED = {  # outcome of a parked payment → words; one without an outcome is named by EVENTS
    "wrong_coin": "Another coin arrived than the one we asked for",
    "wrong_coin_unvalued": "Another coin arrived than the one we asked for",
    "further_deposit": "A second payment arrived",
    "not_needed": "Money arrived that this order did not need",
    "finished_without_money": "The payment was reported as paid, but no money arrived",
    "sent_back": "The payment provider sent the money back",
    "failed_with_money": "The payment failed after money had arrived",
    "no_price": "A payment report was unclear",
    "unbelievable": "A payment report was unclear",
    "unknown_word": "A payment report was unclear",
    "other_order": "A payment report was unclear",
    "other_amount": "A payment report was unclear",
    "settled_far_below": "A payment arrived and is being checked",
    "paid_after_sent_back": "A payment report was unclear",
}


def without_email(text: str) -> str:
    """Words for the next step without the sentences that promise an email."""
    return " ".join(part for part in re.split(r"(?<=[.!?]) ", text) if not _PROMISE.search(part.lower()))


class TimelineLine(msgspec.Struct, frozen=True):
    at: datetime
    icon: str
    text: str
    kind: str


def timeline(events: list[Event]) -> list[TimelineLine]:
    """The customer's timeline, in time order."""
    return [TimelineLine(e.at, EVENTS[e.kind][0], event_text(e), e.kind) for e in events if e.kind in EVENTS]


def event_text(event: Event) -> str:
    """An event in words; of a parked payment, by what arrived."""
    words = EVENTS[event.kind][1]
    return PARKED.get(str(event.data.get("outcome")), words) if event.kind == "payment.parked" else words


def filled(said: Words, found: Options) -> Words:
    """Words with the amounts they speak of."""
    headline, text, title, favicon = said
    coin = f"{found.missing_coin} {found.coin.upper()}"
    return headline, text.format(held=found.held, missing=found.missing, missing_coin=coin), title, favicon
