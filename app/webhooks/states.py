from enum import StrEnum

from app.core.machine import Moves


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    RETRYING = "retrying"
    DELIVERED = "delivered"
    FAILED = "failed"


_D = DeliveryStatus
MOVES = Moves(
    {
        _D.PENDING: (_D.DELIVERED, _D.RETRYING, _D.FAILED),
        _D.RETRYING: (_D.DELIVERED, _D.FAILED),
        # By hand: one, or all that failed since a time.
        _D.FAILED: (_D.PENDING,),
    }
)
