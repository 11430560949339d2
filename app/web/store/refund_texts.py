"""What each state of a refund is called on the customer's page, and what happens next."""

from uuid import UUID

import msgspec

from app.core.i18n import N_, _
from app.core.money import Money, plain
from app.mail.states import TAKEN, UNREACHED, LetterStatus
from app.refunds.models import Refund
from app.refunds.service import REJECTED

NO_ADDRESS = (N_("Tell us where to send it"), N_("We need the address of your wallet."))
CHECKING = (N_("Checking your address"), N_("This takes a few seconds."))
LOOKING = (
    N_("Waiting for our team"),
    N_("Your address is fine. A person checks each refund before it is sent."),
)
SENDING = (N_("On its way to you"), N_("The payment provider is sending it."))
SENT = (N_("Sent"), N_("Your wallet shows it once the network has confirmed it."))
STUCK = (N_("Something went wrong"), N_("It was not sent. Our team is on it."))
TURNED_DOWN = N_("Rejected")


class RefundView(msgspec.Struct, frozen=True):
    """A refund for ``store/refunds/_order.html``. ``why``: what was wrong with the address named before."""

    id: UUID
    amount: Money
    words: str
    next_words: str
    needs_address: bool
    why: str | None
    email_masked: str
    coin: str
    pay_amount: str
    address: str | None
    tx_hash: str | None
    tone: str


def shown(refund: Refund, email_masked: str, letter: LetterStatus | None) -> RefundView:
    """``letter``: how the letter with its link stands."""
    words, next_words = _say(refund)
    of_letter = f" {_of_letter(letter)}" if (words, next_words) == NO_ADDRESS else ""
    unclaimed = refund.status == "pending" and refund.claimed_at is None
    return RefundView(
        id=refund.id,
        amount=Money(refund.amount, refund.currency),
        words=_(words),
        next_words=_(next_words) + of_letter,
        needs_address=unclaimed,
        why=refund.error if unclaimed else None,
        email_masked=email_masked,
        coin=(refund.coin or "").upper() if refund.address else "",
        pay_amount=plain(refund.pay_amount) if refund.pay_amount and refund.status == "processed" else "",
        address=refund.address,
        tx_hash=refund.tx_hash,
        tone={"processed": "good", "failed": "attention"}.get(refund.status, "working"),
    )


def _of_letter(letter: LetterStatus | None) -> str:
    """What is true of the link to a form for it."""
    if letter in TAKEN:
        return _("We emailed you a link to a form for it.")
    if letter in UNREACHED:
        return _("Our email with a link to a form for it did not arrive.")
    return _("An email with a link to a form for it is being sent.")


def _say(refund: Refund) -> tuple[str, str]:
    if refund.status == "pending":
        return NO_ADDRESS if refund.claimed_at is None else LOOKING if refund.checked_at else CHECKING
    if refund.status == "failed":
        error = refund.error or ""
        return (TURNED_DOWN, error.removeprefix(REJECTED)) if error.startswith(REJECTED) else STUCK
    return SENT if refund.status == "processed" else SENDING
