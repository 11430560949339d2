"""What can go wrong with supply: what each leads to, what a person can do, and what the customer is told. Pure.

Retry: we try again by ourselves. Wait: nothing is to be done but wait. Alternative: another supplier offer of the same
game is tried. Refund: nobody will deliver unless a person tries again, so money is due back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from app.core.i18n import N_, ngettext
from app.fulfillment.models import Reservation
from app.issues.codes import IssueCode
from app.orders.models import Order


class Kind(StrEnum):
    WAIT = "wait"
    RETRY = "retry"
    ALTERNATIVE = "alternative"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class FailureReason:
    """``next``: for people who run the shop. ``headline`` and ``words``: for the customer."""

    kind: Kind
    cause: str
    next: str
    headline: str
    words: str


SOLD_OUT = N_("sold out at our supplier, and there is no other offer within the price limit")
TOO_DEAR = N_("costs more at our supplier than its price here allows, and there is no other offer")
REFUSED = N_("our supplier did not sell it to us, for no reason it named")
CANCELLED = N_("the supplier has canceled our order")
REFUNDED = N_("the supplier has refunded our order")
SILENT = N_("the supplier has not delivered for a day")
UNFUNDED = N_("our balance at the supplier is too low: top it up, the order then goes on by itself")
AWAY = N_("the supplier is away")
OTHER_OFFER = N_("another offer of the same game is being tried")
STUCK = N_("a job of this order has failed for good")

CODES = {
    SOLD_OUT: IssueCode.SOLD_OUT, TOO_DEAR: IssueCode.TOO_DEAR, REFUSED: IssueCode.SUPPLY_REFUSED,
    CANCELLED: IssueCode.SUPPLY_CANCELLED, REFUNDED: IssueCode.SUPPLY_REFUNDED,
}  # of what fails an item, the code under which its order is put before a person  # fmt: skip

_SORTING = N_("Paid. Our team is on it")
_BUY_OR_REFUND = N_(
    "Ask again once there is stock or the price is right, or give up on the item: its refund is then due."
)
_AGAIN_OR_REFUND = N_("That order is over. Buy again as a new order there, or give up on the item.")

TROUBLES = {
    trouble.cause: trouble
    for trouble in (
        FailureReason(
            Kind.REFUND, SOLD_OUT, _BUY_OR_REFUND, _SORTING,
            "Our supplier sold its last key of this game before yours was bought. Our team gets it elsewhere or "
            "refunds you, and we email you either way.",
        ),
        FailureReason(
            Kind.REFUND, TOO_DEAR, _BUY_OR_REFUND, _SORTING,
            "This game's price at our supplier went up after you paid. You don't pay more. Our team gets it elsewhere "
            "or refunds you, and we email you either way.",
        ),
        FailureReason(
            Kind.REFUND, REFUSED, _BUY_OR_REFUND, _SORTING,
            "Our supplier did not sell us this game. Our team gets it elsewhere or refunds you, and we email you "
            "either way.",
        ),
        FailureReason(
            Kind.REFUND, CANCELLED, _AGAIN_OR_REFUND, _SORTING,
            "Our supplier cancelled before the key came. Our team gets it elsewhere or refunds you, and we email you "
            "either way.",
        ),
        FailureReason(
            Kind.REFUND, REFUNDED, _AGAIN_OR_REFUND, _SORTING,
            "Our supplier took the game back before the key came. Our team gets it elsewhere or refunds you, and we "
            "email you either way.",
        ),
        FailureReason(
            Kind.WAIT, SILENT, "We keep asking every quarter of an hour. Ask the supplier's support about the order.",
            "Paid. The key takes longer than it should",
            "Our supplier has not sent it for a day. We keep asking, and our team has been told: "
            "if it does not arrive, you get your money back.",
        ),
        FailureReason(
            Kind.WAIT, UNFUNDED, "Top up the balance at the supplier. Nothing else is needed.",
            "Paid. Your key comes a little later",
            "Our order at the supplier is delayed. It continues by itself. We email you.",
        ),
        FailureReason(
            Kind.WAIT, AWAY, "We try again every half minute. All orders continue once it answers.",
            "Paid. Our supplier can't be reached right now",
            "Your order is safe and continues by itself once it is back. You can close this page: we email you.",
        ),
        FailureReason(
            Kind.ALTERNATIVE, OTHER_OFFER, "There is nothing to do.", "Paid. Getting your key",
            "The first offer was gone, so we are buying the same game from another one.",
        ),
        FailureReason(
            Kind.RETRY, STUCK, "See the order's dead letter: retrying it shows first what it would do.", _SORTING,
            "We could not get your key right away. Our team will get it or refund you.",
        ),
    )
}  # fmt: skip
GIVEN_UP = FailureReason(
    Kind.REFUND, "given up", "The refund is waiting for an address and approval.", "We could not get your key",
    "You get all your money back. Tell us below where to send it.",
)  # fmt: skip


def of_order(order: Order, reservations: Iterable[Reservation], *, away: bool, dead: bool) -> FailureReason | None:
    """What the order's page is to say, the gravest of its items first; None while all goes well.

    ``reservations``: the current one of each item. ``away``: the supplier's breaker is open. ``dead``: it has dead
    letters.
    """
    if order.status == "failed" and order.fulfillment_status == "failed":
        return GIVEN_UP
    if order.status != "paid":
        return None
    causes = [cause for row in reservations if (cause := _of_item(row))]
    failed = next((c for c in causes if TROUBLES[c].kind == Kind.REFUND), None)
    if failed or order.fulfillment_status == "failed":
        return TROUBLES[failed or REFUSED]
    if dead:
        return TROUBLES[STUCK]
    return TROUBLES[AWAY] if away else TROUBLES[causes[0]] if causes else None


def _of_item(row: Reservation) -> str | None:
    if row.cause in TROUBLES:
        return row.cause
    if row.status in {"out_of_stock", "cancelled", "refunded"}:
        return REFUSED
    return OTHER_OFFER if row.status == "requested" and row.supplier_product_id else None


def partly(ready: int, of: int) -> str:
    """The words beside any of the above when some keys are there."""
    return ngettext(
        "%(num)d of %(of)s keys is ready: you can reveal it now.",
        "%(num)d of %(of)s keys are ready: you can reveal them now.",
        ready,
        of=of,
    )
