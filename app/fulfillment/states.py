from enum import StrEnum

from app.core.state_machine import Moves


class ReservationStatus(StrEnum):
    REQUESTED = "requested"
    RESERVED = "reserved"
    READY = "ready"
    DELIVERED = "delivered"
    OUT_OF_STOCK = "out_of_stock"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


_R = ReservationStatus
MOVES = Moves(
    {
        _R.REQUESTED: (_R.RESERVED, _R.OUT_OF_STOCK, _R.CANCELLED, _R.REFUNDED),
        _R.RESERVED: (_R.READY, _R.OUT_OF_STOCK, _R.CANCELLED, _R.REFUNDED),
        # Even what was ready can be taken back before it is fetched.
        _R.READY: (_R.DELIVERED, _R.CANCELLED, _R.REFUNDED),
        # By an admin's retry, once the supplier has stock again: nothing was bought, so the same id may ask again.
        _R.OUT_OF_STOCK: (_R.REQUESTED,),
    }
)
