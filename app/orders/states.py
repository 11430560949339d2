from enum import StrEnum

from app.core.state_machine import Moves


class OrderStatus(StrEnum):
    CREATED = "created"
    WAITING = "waiting"
    CONFIRMING = "confirming"
    UNDERPAID = "underpaid"
    PAID = "paid"
    FULFILLED = "fulfilled"
    EXPIRED = "expired"
    FAILED = "failed"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


class FulfillmentStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    FULFILLED = "fulfilled"
    FAILED = "failed"


_O = OrderStatus
MOVES = Moves(
    {
        _O.CREATED: (_O.WAITING, _O.EXPIRED, _O.CANCELLED),
        # A notice may skip states (nowpayments.md, 5): money can be final before anything was seen on the way.
        _O.WAITING: (_O.CONFIRMING, _O.PAID, _O.UNDERPAID, _O.EXPIRED, _O.FAILED, _O.CANCELLED),
        # A merchant's order outlives an attempt that came to nothing after all.
        _O.CONFIRMING: (_O.PAID, _O.UNDERPAID, _O.FAILED, _O.WAITING),
        _O.UNDERPAID: (_O.CONFIRMING, _O.PAID, _O.EXPIRED, _O.REFUNDED),
        # Late money, too, can go back in full, whatever it came too late for.
        _O.EXPIRED: (_O.PAID, _O.REFUNDED),
        _O.CANCELLED: (_O.REFUNDED,),
        _O.PAID: (_O.FULFILLED, _O.FAILED, _O.REFUNDED),
        _O.FULFILLED: (_O.REFUNDED,),
        _O.FAILED: (_O.REFUNDED,),
    }
)

_F = FulfillmentStatus
FULFILLMENT_MOVES = Moves(
    {
        _F.PENDING: (_F.PROCESSING,),
        _F.PROCESSING: (_F.FULFILLED, _F.FAILED),
        _F.FAILED: (_F.PROCESSING,),
    }
)
