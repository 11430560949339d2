"""What a timeline's events are called before admins: the customer's words, and words for what is for our eyes alone."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from app.core.i18n import N_, _
from app.core.money import Money
from app.history.models import Event
from app.issues.codes import matter
from app.issues.models import Issue
from app.orders.models import Order
from app.web.store.order_texts import EVENTS, event_text

WORDS = {kind: words for kind, (_icon, words) in EVENTS.items()} | {
    "order.confirming": N_("Waiting for the network to confirm the payment"),
    "order.underpaid": N_("Waiting for the rest of the money"),
    "key.shown_to_staff": N_("A key was opened by staff"),
    "payment.accepted": N_("A payment was accepted by an admin"),
    "payment.counted_in_part": N_("Of a payment, an admin counted only what was credited"),
    "payment.adopted": N_("A payment we didn't know of was found"),
    "payment.sending": N_("The payment provider is forwarding the money"),
    "payment.finished": N_("The payment provider has the money"),
    "payment.refunded": N_("The payment provider returned the money"),
    "supply.slow": N_("Takes longer than usual"),
    "supply.late": N_("Takes longer than the set time: the customer may take the money back"),
    "supply.withdrawn": N_("The customer took the money back for keys that did not come"),
    "supply.returned": N_("Key given back to the supplier"),
    "supply.return_refused": N_("The supplier did not take the key back"),
    "issue.resolved": N_("A person dealt with a matter of this order"),
    "ledger.differs": N_("The ledger does not balance"),
    "ledger.balanced": N_("The ledger balances again"),
}


MERCHANTS = {"order.waiting": N_("Waiting for payment"), "order.fulfilled": N_("Done: the merchant delivers")}


def reasons(issues: Iterable[Issue]) -> str:
    """Why an order needs a person, in one line: a sentence for each line of each open issue."""
    said = [line.removesuffix(".") for issue in issues for line in (issue.detail or issue.code).split("\n")]
    return ". ".join(one[:1].upper() + one[1:] for one in said)


def resolved(event: Event, notes: Mapping[str, Issue]) -> str:
    """That a person dealt with a matter of the order, with the note. ``notes``: such issues by id."""
    title, issue = matter(event.data["code"]).title, notes.get(event.data["issue"])
    return _("Dealt with: %(matter)s", matter=_(title)) + (f". {issue.note}" if issue and issue.note else "")


def text(order: Order, event: Event, notes: Mapping[str, Issue]) -> str:
    """An event in words. ``notes``: the order's issues that persons resolved, by id."""
    if event.kind == "issue.resolved":
        return resolved(event, notes)
    words = WORDS.get(event.kind, event.kind)
    if event.kind == "payment.parked":
        words = event_text(event)
    if order.merchant_id is not None:
        words = MERCHANTS.get(event.kind, words)
    words = _(words)
    why = event.data.get("why") or event.data.get("cause")
    if event.kind == "credit.returned":
        why = str(Money(Decimal(event.data["amount"]), event.data["currency"]))
    return f"{words}: {why}" if why else words
