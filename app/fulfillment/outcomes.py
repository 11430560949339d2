"""What a supplier's order has come to, unit by unit: which keys came, which may still come, which never will. Pure."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from app.fulfillment import failure_reasons
from app.fulfillment.states import ReservationStatus
from app.suppliers.models import SupplierOrder

CANCELED = {"canceled", "cancelled"}
TAKEN_BACK = {"refunded", "returned"}
OVER = CANCELED | TAKEN_BACK  # words of a key, or of a whole order, after which nothing more comes of it
DONE = "completed"  # of a whole order: everything that it will ever deliver is delivered
KNOWN = OVER | {DONE, "processing"}  # words of a whole order (suppliers.models)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of so many units: ``new`` keys can be fetched, ``came`` are ours or can be fetched, ``open`` may still come,
    ``gone`` never will. ``refunded``: what is gone was taken back, not cancelled."""

    new: int
    came: int
    open: int
    gone: int
    refunded: bool

    @property
    def short(self) -> bool:
        """Whether it is over with units missing."""
        return self.open == 0 and self.gone > 0

    @property
    def ending(self) -> tuple[ReservationStatus, str]:
        """How the reservation ends that is ``short``, and the cause."""
        if self.refunded:
            return ReservationStatus.REFUNDED, failure_reasons.REFUNDED
        return ReservationStatus.CANCELLED, failure_reasons.CANCELLED


def of(found: SupplierOrder, quantity: int, have: AbstractSet[str]) -> Outcome:
    """What an order of ``quantity`` units has come to. ``have``: the ids of the keys that are ours already.

    A key that is ours has come, whatever is said of it later. A key's own word goes before that of its order. An order
    that ended delivers no key that is still under way; one that is completed has none that it does not name.
    """
    new = sum(key.status == "delivered" and key.id not in have for key in found.keys)
    came = min(new + sum(key.id in have for key in found.keys), quantity)
    over = [key.status for key in found.keys if key.id not in have and key.status in OVER]
    missing = quantity - came
    named = sum(key.id not in have and key.status not in OVER | {"delivered"} for key in found.keys)  # under way
    unnamed = max(missing - len(over) - named, 0)
    if found.status in OVER:
        still = 0
    elif found.status == DONE and found.keys:
        still = min(named, missing)
    else:
        still = min(named + unnamed, missing)
    words = {*over, found.status} & OVER
    return Outcome(new, came, still, missing - still, refunded=bool(words) and words <= TAKEN_BACK)
