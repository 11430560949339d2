"""What each state and event is called on the customer's pages. The same thing has one name everywhere."""

import re
from datetime import datetime

import msgspec

from app.core.i18n import N_, _
from app.history.models import Event
from app.payments.customer_choice import Options

STATUS_WORDS = {  # status → (words, tone)
    "created": (N_("Preparing payment"), "working"),
    "waiting": (N_("Waiting for payment"), "waiting"),
    "confirming": (N_("Confirming payment"), "working"),
    "underpaid": (N_("Part of the payment is missing"), "attention"),
    "paid": (N_("Paid, getting your key"), "working"),
    "fulfilled": (N_("Key ready"), "done"),
    "expired": (N_("Expired"), "muted"),
    "failed": (N_("Payment failed"), "attention"),
    "refunded": (N_("Refunded"), "muted"),
    "cancelled": (N_("Cancelled"), "muted"),
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
        N_("Preparing your payment"),
        N_("We are getting a payment address. This takes a few seconds."),
        N_("Preparing payment"),
        "working",
    ),
    "pay": (
        N_("Send your payment"),
        N_("It shows up here once the network has seen it."),
        N_("Waiting for payment"),
        "waiting",
    ),
    "confirming": (
        N_("Payment seen, waiting for confirmations"),
        N_(
            "The network is confirming it. How long that takes depends on the coin. You can close this page: we "
            "email you."
        ),
        N_("Confirming payment"),
        "working",
    ),
    "underpaid": (
        N_("Part of the payment is missing"),
        N_("Send the rest to the same address and your order continues by itself."),
        N_("Payment incomplete"),
        "attention",
    ),
    "processing": (
        N_("Paid. Getting your key"),
        N_("We are buying it from our supplier. You can close this page: we email you when it is ready."),
        N_("Getting your key"),
        "working",
    ),
    "ready": (N_("Your key is ready"), N_("Reveal it when you want to use it."), N_("Key ready"), "done"),
    "expired": (
        N_("This payment has expired"),
        N_("No money arrived in time. If you paid, we will see it and write to you."),
        N_("Expired"),
        "attention",
    ),
    "failed": (
        N_("The payment did not go through"),
        N_("If you paid, we will see it and write to you about your refund."),
        N_("Payment failed"),
        "attention",
    ),
    "refunded": (N_("This order was refunded"), N_("The money is on its way back to you."), N_("Refunded"), "done"),
    "cancelled": (N_("This order is cancelled"), N_("Nothing was charged."), N_("Cancelled"), "attention"),
}
USUAL_KEYS = N_("Most keys arrive within {usual}. You can close this page: we email you when it is ready.")
USUAL_CONFIRMATION = N_("The network usually confirms it within {usual}. You can close this page: we email you.")
KEY_SLOW = (
    N_("Paid. This is taking longer than usual"),
    N_(
        "Most keys arrive within {usual}; yours has not arrived yet. We keep asking our supplier, and "
        "email you when it is ready."
    ),
    N_("Getting your key"),
    "working",
)
KEY_LATE = (
    N_("Paid. Your key is taking longer than it should"),
    N_("Our supplier has not delivered yet. We keep asking, and our team has been told."),
    N_("Waiting for our supplier"),
    "attention",
)
UNREACHED = N_(
    "Our emails to {email} don't arrive. This page shows everything they say: bookmark it, and check your address."
)
_PROMISE = re.compile(r"\b(?:we|and) (?:email|write to)\b")
OFFER = N_("You can wait, or get a refund of {amount} below.")
OFFER_CREDIT = N_("You can wait, or get {amount} of store credit back below.")
GOING_BACK = (
    N_("You are getting your money back"),
    N_("Below you see the status and what we need from you. Please don't send any more for this order."),
    N_("Being refunded"),
    "attention",
)
REFUSED = (
    N_("That coin can't be used right now"),
    N_("Choose another coin below; your order is kept."),
    N_("Choose another coin"),
    "attention",
)
Words = tuple[str, str, str, str]  # as in HEADLINES
SHORT = (
    N_("Part of the payment is missing"),
    N_("{held} has arrived. {missing} ({missing_coin}) is missing. Add it below and your order continues by itself."),
    N_("Payment incomplete"),
    "attention",
)
TOP_UP = (
    N_("Send the rest"),
    N_("{held} has arrived and is safe. Once the rest is here, your order continues by itself."),
    N_("Payment incomplete"),
    "waiting",
)
LATE = (
    N_("Your payment came late"),
    N_(
        "Your {held} is safe. The price has changed or part of it is missing. Add {missing} ({missing_coin}) to get "
        "your key, or get your money back."
    ),
    N_("Please choose"),
    "attention",
)
LATE_GONE = (
    N_("Your payment came late"),
    N_("Your {held} is safe, but the game is sold out. Choose what happens to your money."),
    N_("Please choose"),
    "attention",
)
HELD = (
    N_("Your money is safe"),
    N_("{held} arrived for this order, which has ended. Choose what happens to it."),
    N_("Please choose"),
    "attention",
)
SEEN_LATE = (
    N_("Your payment is late, but on its way"),
    N_(
        "The network is confirming it. If the game is still sold at its price, you get your key. If "
        "not, you choose what happens to your money. You can close this page: we email you."
    ),
    N_("Confirming payment"),
    "working",
)
CHOSEN = {
    "refund": (
        N_("You are getting a refund"),
        N_("Tell us below where to send it. Our team checks it, then sends it."),
        N_("Refund open"),
        "working",
    ),
    "credit": (
        N_("Your money is now store credit"),
        N_("Enter the code below at checkout, with the same email. What you don't use stays yours."),
        N_("Credit"),
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
    "fulfilled": N_("Key ready"),
    "failed": N_("Being fixed by our team"),
    "withdrawn": N_("You get your money back"),
}
PAYMENT_WORDS = {
    "waiting": N_("Waiting for your payment to appear on the network."),
    "confirming": N_("Waiting for the network to confirm it."),
    "confirmed": N_("Confirmed by the network."),
    "sending": N_("Nearly there: the payment is being completed."),
    "partially_paid": N_("Less than asked has arrived."),
    "finished": N_("Paid in full."),
    "failed": N_("The payment failed."),
    "refunded": N_("The payment was sent back."),
    "expired": N_("The payment has expired."),
}
AUDIT_WORDS = {  # what an order's owner is shown of the audit log
    "key.revealed": N_("Key revealed"),
    "key.shown_to_staff": N_("Key opened by our team"),
    "order.email_asked": N_("Email change requested"),
    "order.email_changed": N_("Email changed"),
    "order.email_kept": N_("Email change cancelled"),
    "refund.address_named": N_("Refund address given on this page"),
    "order.changed_by_staff": N_("Order changed by our team"),
    "key.link_issued": N_("Download link created"),
    "key.denied": N_("Tried to open a key"),
    "key.broken": N_("A key could not be opened"),
    "key.retired": N_("Key deleted: its storage period is over"),
    "order.denied": N_("Tried to open this order"),
}
EVENTS = {  # kind → (icon, words); a kind that is missing here is for our own eyes
    "order.created": ("cart", N_("Order placed")),
    "key.broken": ("alert", N_("A key could not be opened: our team was told")),
    "key.retired": ("lock", N_("Keys deleted after the time named in our terms")),
    "order.waiting": ("coin", N_("Payment address ready")),
    "order.payable_again": ("refresh", N_("That payment did not work: you can pay again")),
    "payment.pending": ("coin", N_("Payment started")),
    "payment.offered": ("coin", N_("New payment address ready")),
    "payment.cancelled": ("x", N_("Payment cancelled")),
    "payment.refused": ("alert", N_("The coin could not be used")),
    "payment.confirming": ("clock", N_("Payment seen on the network")),
    "payment.confirmed": ("check", N_("Payment confirmed by the network")),
    "payment.partially_paid": ("alert", N_("Part of the payment arrived")),
    "payment.expired": ("clock", N_("The payment address expired")),
    "payment.refunded": ("alert", N_("The payment provider sent the money back")),
    "payment.failed": ("alert", N_("The payment failed")),
    "payment.parked": ("alert", N_("A payment needs a decision")),
    "payment.overpaid": ("coin", N_("More than asked arrived: you get the difference back")),
    "payment.late": ("alert", N_("The money arrived late: please choose what happens to it")),
    "payment.short": ("alert", N_("Another part of the payment arrived")),
    "order.repriced": ("coin", N_("The order now has today's prices")),
    "order.covered": ("coin", N_("Paid with your credit")),
    "choice.refund": ("coin", N_("A refund was chosen")),
    "choice.credit": ("coin", N_("Store credit was chosen")),
    "choice.top_up": ("coin", N_("The rest is to be paid")),
    "order.paid": ("check", N_("Paid in full")),
    "supply.slow": ("clock", N_("Taking longer than usual: we keep asking our supplier")),
    "supply.late": ("alert", N_("Taking longer than it should: our team has been told")),
    "supply.withdrawn": ("coin", N_("A refund was chosen for the keys that did not arrive")),
    "supply.reserved": ("package", N_("Bought from our supplier")),
    "supply.ready": ("package", N_("The supplier has the key ready")),
    "supply.failed": ("alert", N_("The supplier could not deliver. Our team is on it")),
    "supply.retried": ("refresh", N_("Asking the supplier again")),
    "supply.picked_up": ("refresh", N_("Work on the order continues")),
    "supply.alternative": ("refresh", N_("That offer was gone. Trying another one of the same game")),
    "supply.unfunded": ("clock", N_("Our order at the supplier is delayed")),
    "supply.waiting": ("clock", N_("Our supplier can't be reached. The order continues by itself")),
    "supply.probed": ("refresh", N_("Checking whether our supplier is back")),
    "supply.resumed": ("check", N_("Our supplier is back")),
    "payment.waiting": ("clock", N_("The payment provider can't be reached. The order continues by itself")),
    "payment.probed": ("refresh", N_("Checking whether the payment provider is back")),
    "payment.resumed": ("check", N_("The payment provider is back")),
    "order.given_up": ("alert", N_("We could not get your key. You get your money back")),
    "key.sealed": ("lock", N_("Key encrypted and stored")),
    "order.fulfilled": ("key", N_("Key ready to reveal")),
    "key.revealed": ("eye", N_("Key revealed")),
    "order.expired": ("clock", N_("The order expired")),
    "order.failed": ("alert", N_("The payment failed")),
    "order.cancelled": ("x", N_("Order cancelled")),
    "order.email_changed": ("mail", N_("Email changed")),
    "order.refunded": ("coin", N_("Order refunded")),
    "credit.returned": ("coin", N_("Store credit returned")),
    "refund.pending": ("coin", N_("Refund opened")),
    "refund.processing": ("clock", N_("Refund on its way")),
    "refund.asked": ("coin", N_("Refund opened: we need your wallet address")),
    "refund.claimed": ("wallet", N_("Refund address given")),
    "refund.address_checked": ("check", N_("Refund address checked")),
    "refund.address_refused": ("alert", N_("The refund address did not work. We need another one")),
    "refund.approved": ("check", N_("Refund approved")),
    "refund.processed": ("check", N_("Refund sent")),
    "refund.failed": ("alert", N_("The refund was not sent")),
    "refund.retried": ("refresh", N_("Refund reopened")),
}

PARKED = {  # outcome of a parked payment → words; one without an outcome is named by EVENTS
    "wrong_coin": N_("Another coin arrived than the one we asked for"),
    "wrong_coin_unvalued": N_("Another coin arrived than the one we asked for"),
    "further_deposit": N_("A second payment arrived"),
    "not_needed": N_("Money arrived that this order did not need"),
    "finished_without_money": N_("The payment was reported as paid, but no money arrived"),
    "sent_back": N_("The payment provider sent the money back"),
    "failed_with_money": N_("The payment failed after money had arrived"),
    "no_price": N_("A payment report was unclear"),
    "unbelievable": N_("A payment report was unclear"),
    "unknown_word": N_("A payment report was unclear"),
    "other_order": N_("A payment report was unclear"),
    "other_amount": N_("A payment report was unclear"),
    "settled_far_below": N_("A payment arrived and is being checked"),
    "paid_after_sent_back": N_("A payment report was unclear"),
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
    return _(PARKED.get(str(event.data.get("outcome")), words) if event.kind == "payment.parked" else words)


def filled(said: Words, found: Options) -> Words:
    """Words with the amounts they speak of."""
    headline, text, title, favicon = said
    coin = f"{found.missing_coin} {found.coin.upper()}"
    return headline, _(text).format(held=found.held, missing=found.missing, missing_coin=coin), title, favicon
