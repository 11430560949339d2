"""What the checkout in a merchant's page says, by where its payment stands."""

from app.core.money import Money

FAILURES = {
    "card_declined": "The card was declined. You were not charged.",
    "declined": "The payment was declined. You were not charged.",
    "insufficient_funds": "There is not enough money on that card or account. You were not charged.",
    "expired_card": "That card has expired. You were not charged.",
    "processing_error": "Something went wrong while processing the payment. You were not charged.",
}
FAILED = "The payment did not go through. You were not charged."
EXPIRED = {
    "crypto": "The time to pay ran out. If you have already sent coins, we will find them: nothing is lost.",
    "upi": "The request was not approved in time. You were not charged.",
    "card": "The payment was not approved in time. You were not charged.",
}

# phase → headline, what happens next
PHASES = {
    "choose": ("How do you want to pay?", ""),
    "preparing": ("Getting your payment address", "This takes a few seconds."),
    "pay": ("Send your payment", "It usually shows up here within a minute."),
    "processing": ("Processing your payment", "This takes up to ten seconds. You can leave this open."),
    "approve": ("Approve it in your UPI app", "We sent a request to your app. This takes up to ten seconds."),
    "confirming": (
        "Payment seen",
        "The network is confirming it, usually within minutes. You can close this: it continues by itself.",
    ),
    "short": ("Part of the payment is missing", "Less arrived than asked. Pay the rest, or ask the shop for a refund."),
    "failed": ("That did not work", ""),
    "parked": (
        "Your payment is being checked",
        "It arrived in another coin than asked, or a second time. Don’t send more: the shop has been told and can help "
        "you.",
    ),
    "paid": ("Paid", "The shop has been told."),
    "over": ("This order can’t be paid any more", "Go back to the shop and order again."),
}
REST = "How do you want to pay the rest?"  # instead of ``choose``, where part of the price is there

MARKS = {
    "choose": "wallet", "preparing": "refresh", "pay": "coin", "processing": "refresh", "approve": "refresh",
    "confirming": "clock", "short": "alert", "parked": "alert", "failed": "alert", "paid": "check", "over": "x",
}  # fmt: skip
TONES = {"short": "attention", "parked": "attention", "failed": "danger", "paid": "done", "over": "quiet"}

CARDS = [
    ("4242 4242 4242 4242", "is accepted"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0000 0000 9995", "has too little money"),
]
ADDRESSES = [
    ("success@test", "is accepted"),
    ("fail@test", "is declined"),
    ("timeout@test", "is never approved"),
]


def of_rest(arrived: Money, total: Money) -> str:
    """What is there of an order's price."""
    return f"{arrived} of {total} has arrived."


def of_failure(word: str, method: str, failure: str | None) -> str:
    """Why an attempt came to nothing: ``word`` is the API's."""
    if word == "expired":
        return EXPIRED[method]
    return FAILURES.get(failure or "", FAILED)
