from enum import StrEnum

from app.core.state_machine import Moves


class RefundStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    PROCESSED = "processed"
    FAILED = "failed"


_R = RefundStatus
MOVES = Moves(
    {
        _R.PENDING: (_R.PROCESSING,),
        _R.PROCESSING: (_R.PROCESSED, _R.FAILED),
        # By an admin's retry, within what is still refundable.
        _R.FAILED: (_R.PENDING,),
    }
)
