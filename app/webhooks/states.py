from enum import StrEnum

from app.core.state_machine import Moves


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    FAILED = "failed"


_D = DeliveryStatus
MOVES = Moves(
    {
        _D.PENDING: (_D.DELIVERED, _D.RETRYING, _D.FAILED),
        _D.RETRYING: (_D.DELIVERED, _D.FAILED, _D.PENDING),
        # Sent again by hand, one or all of a time: also what was delivered, to a receiver that lost it.
        _D.FAILED: (_D.PENDING,),
        _D.DELIVERED: (_D.PENDING,),
    }
)
