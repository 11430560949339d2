"""What the checkout in a merchant's page says, by where its payment stands."""

from app.core.i18n import N_, _
from app.core.money import Money

FAILURES = {
    "card_declined": N_("The card was declined. You were not charged."),
    "declined": N_("The payment was declined. You were not charged."),
    "insufficient_funds": N_("There is not enough money on that card or account. You were not charged."),
    "expired_card": N_("That card has expired. You were not charged."),
    "processing_error": N_("Something went wrong while processing the payment. You were not charged."),
}
FAILED = N_("The payment did not go through. You were not charged.")
EXPIRED = {
    "crypto": N_("The time to pay ran out. If you have already sent coins, we will find them: nothing is lost."),
    "upi": N_("The request was not approved in time. You were not charged."),
    "card": N_("The payment was not approved in time. You were not charged."),
}

# phase → headline, what happens next
PHASES = {
    "choose": (N_("How do you want to pay?"), ""),
    "preparing": (N_("Getting your payment address"), N_("This takes a few seconds.")),
    "pay": (N_("Send your payment"), N_("It shows up here once the network has seen it.")),
    "processing": (N_("Processing your payment"), N_("This takes up to ten seconds. You can leave this open.")),
    "approve": (N_("Approve it in your UPI app"), N_("We sent a request to your app. This takes up to ten seconds.")),
    "confirming": (
        N_("Payment seen"),
        N_("The network is confirming it. You can close this: it continues by itself."),
    ),
    "short": (
        N_("Part of the payment is missing"),
        N_("Less arrived than asked. Pay the rest, or ask the shop for a refund."),
    ),
    "failed": (N_("That did not work"), ""),
    "parked": (
        N_("Your payment is being checked"),
        N_(
            "It arrived in another coin than asked, or a second time. Don’t send more: the shop has been told and "
            "can help you."
        ),
    ),
    "paid": (N_("Paid"), N_("The shop has been told.")),
    "over": (N_("This order can’t be paid any more"), N_("Go back to the shop and order again.")),
}
REST = N_("How do you want to pay the rest?")  # instead of ``choose``, where part of the price is there

MARKS = {
    "choose": "wallet", "preparing": "refresh", "pay": "coin", "processing": "refresh", "approve": "refresh",
    "confirming": "clock", "short": "alert", "parked": "alert", "failed": "alert", "paid": "check", "over": "x",
}  # fmt: skip
TONES = {"short": "attention", "parked": "attention", "failed": "danger", "paid": "done", "over": "quiet"}

CARDS = [
    ("4242 4242 4242 4242", N_("is accepted")),
    ("4000 0000 0000 0002", N_("is declined")),
    ("4000 0000 0000 9995", N_("has too little money")),
]
ADDRESSES = [
    ("success@test", N_("is accepted")),
    ("fail@test", N_("is declined")),
    ("timeout@test", N_("is never approved")),
]


def of_rest(arrived: Money, total: Money) -> str:
    """What is there of an order's price."""
    return _("%(arrived)s of %(total)s has arrived.", arrived=arrived, total=total)


def of_failure(word: str, method: str, failure: str | None) -> str:
    """Why an attempt came to nothing: ``word`` is the API's."""
    if word == "expired":
        return EXPIRED[method]
    return FAILURES.get(failure or "", FAILED)
