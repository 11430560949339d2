"""What each state and event is called on the customer's pages. The same thing has one name everywhere."""

from typing import Any

from app.payments.choices import Options

STATUS_WORDS = {  # status → (words, tone)
    "created": ("Preparing payment", "working"),
    "waiting": ("Waiting for payment", "waiting"),
    "confirming": ("Confirming payment", "working"),
    "underpaid": ("Part of the payment is missing", "attention"),
    "paid": ("Paid, getting the key", "working"),
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
        "We are asking the payment provider for an address. This takes a few seconds.",
        "Preparing payment",
        "working",
    ),
    "pay": (
        "Send your payment",
        "We watch the network and show it here within about a minute of your sending it.",
        "Waiting for payment",
        "waiting",
    ),
    "confirming": (
        "Payment seen, waiting for confirmations",
        "The network confirms it in 2 to 30 minutes, depending on the coin. You may close this page: we mail you.",
        "Confirming payment",
        "working",
    ),
    "underpaid": (
        "Part of the payment is missing",
        "Send the rest to the same address and your order goes on by itself. Our team has been told, too.",
        "Payment incomplete",
        "attention",
    ),
    "processing": (
        "Paid. Getting your key",
        "This takes seconds, at most a few minutes. You may close this page: we mail you when it is ready.",
        "Getting your key",
        "working",
    ),
    "ready": ("Your key is ready", "Reveal it when you want to use it.", "Key ready", "done"),
    "expired": (
        "This payment has expired",
        "No money arrived in time. If you have sent some, don't worry: we still see it and will sort it out.",
        "Expired",
        "attention",
    ),
    "failed": (
        "The payment did not go through",
        "If money left your wallet, we see it and will write to you about sending it back.",
        "Payment failed",
        "attention",
    ),
    "refunded": ("This order was refunded", "The money is on its way back to you.", "Refunded", "done"),
    "cancelled": ("This order is cancelled", "Nothing was charged.", "Cancelled", "attention"),
}
GOING_BACK = (
    "Your money goes back to you",
    "Below you see how far that is, and what we need from you. Please send no more for this order.",
    "Being refunded",
    "attention",
)
REFUSED = (
    "That coin did not work out",
    "Choose another coin below; your order is kept.",
    "Choose another coin",
    "attention",
)
Words = tuple[str, str, str, str]  # as in HEADLINES
SHORT = (
    "Part of the payment is missing",
    "{held} has arrived. {missing} ({missing_coin}) is missing. Add it below and your order goes on by itself.",
    "Payment incomplete",
    "attention",
)
TOP_UP = (
    "Send the rest",
    "{held} has arrived and is kept for you. With the rest your order goes on by itself.",
    "Payment incomplete",
    "waiting",
)
LATE = (
    "Your payment came late",
    "Your {held} is safe. The price has changed or part of it is missing: {missing} ({missing_coin}) more gets your "
    "key, or have your money back.",
    "Please choose",
    "attention",
)
LATE_GONE = (
    "Your payment came late",
    "Your {held} is safe. The game is sold out by now. Choose what should become of your money.",
    "Please choose",
    "attention",
)
HELD = (
    "Your money is safe",
    "{held} arrived for an order that had ended already. Choose what should become of it.",
    "Please choose",
    "attention",
)
SEEN_LATE = (
    "Late, but seen: your payment is on its way",
    "The network confirms it in 2 to 30 minutes. If the game is still sold at its price, you get your key; else you "
    "choose. You may close this page: we mail you.",
    "Confirming payment",
    "working",
)
CHOSEN = {
    "refund": (
        "Your refund is asked for",
        "Our team sends it. We mail you a link where you say to which address.",
        "Refund asked for",
        "working",
    ),
    "credit": (
        "Your money is kept as credit",
        "Type the code below at the checkout, with the same email. What an order does not use up stays yours.",
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
ITEM_WORDS = {"pending": "", "fulfilled": "Key ready", "failed": "We are sorting this out"}
PAYMENT_WORDS = {
    "waiting": "Waiting for your payment to appear on the network.",
    "confirming": "Waiting for the network to confirm it.",
    "confirmed": "Confirmed by the network.",
    "sending": "Nearly there: the payment is being booked.",
    "partially_paid": "Less than asked has arrived.",
    "finished": "Paid in full.",
    "failed": "The payment failed.",
    "refunded": "The payment was sent back.",
    "expired": "The payment has expired.",
}
AUDIT_WORDS = {  # what an order's owner is shown of the audit log
    "key.revealed": "Key revealed",
    "key.link_issued": "Download link made",
    "key.denied": "Asked for a key, refused",
    "key.broken": "A key could not be opened",
    "key.retired": "Key deleted after its time",
    "order.denied": "Asked for this order, refused",
}
EVENTS = {  # kind → (icon, words); a kind that is missing here is for our own eyes
    "order.created": ("cart", "Order placed"),
    "key.broken": ("alert", "A key could not be opened: our team was told"),
    "key.retired": ("lock", "Keys deleted after the time named in our terms"),
    "order.waiting": ("coin", "Payment address ready"),
    "order.payable_again": ("refresh", "Nothing came of that payment: the order waits for another"),
    "payment.pending": ("coin", "Payment asked for"),
    "payment.offered": ("coin", "New payment address ready"),
    "payment.cancelled": ("x", "Payment cancelled"),
    "payment.refused": ("alert", "The coin could not be used"),
    "payment.confirming": ("clock", "Payment seen on the network"),
    "payment.confirmed": ("check", "Payment confirmed by the network"),
    "payment.partially_paid": ("alert", "Part of the payment arrived"),
    "payment.expired": ("clock", "The payment address expired"),
    "payment.refunded": ("alert", "The payment provider sent the money back"),
    "payment.failed": ("alert", "The payment failed"),
    "payment.parked": ("alert", "Something about the payment needs a look: our team has been told"),
    "payment.overpaid": ("coin", "More than asked arrived: the excess is owed back to you"),
    "payment.late": ("alert", "The money arrived late: please choose what becomes of it"),
    "payment.short": ("alert", "Another part of the payment arrived"),
    "order.repriced": ("coin", "The order has the prices of today"),
    "order.covered": ("coin", "Paid with your credit"),
    "choice.refund": ("coin", "You asked for your money back"),
    "choice.credit": ("coin", "You keep your money as credit"),
    "choice.top_up": ("coin", "You add what is missing"),
    "order.paid": ("check", "Paid in full"),
    "supply.reserved": ("package", "Bought from our supplier"),
    "supply.ready": ("package", "The supplier has the key ready"),
    "supply.failed": ("alert", "The supplier could not deliver: our team has been told"),
    "supply.retried": ("refresh", "Asking the supplier again"),
    "supply.picked_up": ("refresh", "Taken up again"),
    "supply.alternative": ("refresh", "That offer was gone: trying another one of the same game"),
    "supply.unfunded": ("clock", "Our order at the supplier is held up for a moment"),
    "supply.waiting": ("clock", "Our supplier is away: the order waits and goes on by itself"),
    "supply.probed": ("refresh", "Asking our supplier whether it is back"),
    "supply.resumed": ("check", "Our supplier is back"),
    "payment.waiting": ("clock", "The payment provider is away: the order waits and goes on by itself"),
    "payment.probed": ("refresh", "Asking the payment provider whether it is back"),
    "payment.resumed": ("check", "The payment provider is back"),
    "order.given_up": ("alert", "We could not get your key: your money comes back"),
    "key.sealed": ("lock", "Key sealed and stored"),
    "order.fulfilled": ("key", "Key ready to reveal"),
    "key.revealed": ("eye", "Key revealed"),
    "order.expired": ("clock", "The order expired"),
    "order.failed": ("alert", "The payment failed"),
    "order.cancelled": ("x", "Order cancelled"),
    "order.refunded": ("coin", "Order refunded"),
    "refund.pending": ("coin", "A refund was asked for"),
    "refund.processing": ("clock", "Refund on its way"),
    "refund.asked": ("coin", "A refund was made: we mailed a link to name an address"),
    "refund.claimed": ("wallet", "Address for the refund named"),
    "refund.address_checked": ("check", "The address was checked"),
    "refund.address_refused": ("alert", "The address did not work: we mailed a new link"),
    "refund.approved": ("check", "Refund approved"),
    "refund.processed": ("check", "Refund sent"),
    "refund.failed": ("alert", "The refund was not sent"),
    "refund.retried": ("refresh", "Refund put back"),
}


def timeline(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The customer's timeline, in time order: ``{at, icon, text, kind}``."""
    return [
        {"at": e["at"], "icon": EVENTS[e["kind"]][0], "text": EVENTS[e["kind"]][1], "kind": e["kind"]}
        for e in events
        if e["kind"] in EVENTS
    ]


def filled(said: Words, found: Options) -> Words:
    """Words with the amounts they speak of."""
    headline, text, title, favicon = said
    coin = f"{found.missing_coin} {found.coin.upper()}"
    return headline, text.format(held=found.held, missing=found.missing, missing_coin=coin), title, favicon
