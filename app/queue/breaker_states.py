from enum import StrEnum

from app.core.state_machine import Moves


class BreakerState(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


_B = BreakerState
MOVES = Moves({_B.CLOSED: (_B.OPEN,), _B.OPEN: (_B.HALF_OPEN,), _B.HALF_OPEN: (_B.CLOSED, _B.OPEN)})
