"""What received money may be used for, and how a use stands."""

from enum import StrEnum


class UseKind(StrEnum):
    """``price``: the goods. ``top_up``: kept for the price while the customer adds the rest. ``refund``: goes back,
    from the moment it is asked for to the payout's end."""

    PRICE = "price"
    TOP_UP = "top_up"
    CREDIT = "credit"
    REFUND = "refund"


class UseStatus(StrEnum):
    """``reserved`` becomes ``spent`` or ``released``; both are ends."""

    RESERVED = "reserved"
    SPENT = "spent"
    RELEASED = "released"
