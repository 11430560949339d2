from enum import StrEnum

from app.core.state_machine import Moves


class PaymentStatus(StrEnum):
    """NOWPayments' own words (nowpayments.md, 5)."""

    WAITING = "waiting"
    CONFIRMING = "confirming"
    CONFIRMED = "confirmed"
    SENDING = "sending"
    PARTIALLY_PAID = "partially_paid"
    FINISHED = "finished"
    FAILED = "failed"
    REFUNDED = "refunded"
    EXPIRED = "expired"


class Failure(StrEnum):
    """Why a payment came to nothing, as merchants read it."""

    DECLINED = "declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    EXPIRED_CARD = "expired_card"
    PROCESSING_ERROR = "processing_error"
    WRONG_COIN = "wrong_coin"
    COIN_REFUSED = "coin_refused"
    ORDER_CLOSED = "order_closed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


_P = PaymentStatus
MOVES = Moves(
    {
        _P.WAITING: (
            _P.CONFIRMING,
            _P.CONFIRMED,
            _P.SENDING,
            _P.PARTIALLY_PAID,
            _P.FINISHED,
            _P.FAILED,
            _P.EXPIRED,
            _P.REFUNDED,
        ),
        _P.CONFIRMING: (_P.CONFIRMED, _P.SENDING, _P.PARTIALLY_PAID, _P.FINISHED, _P.FAILED, _P.REFUNDED),
        _P.CONFIRMED: (_P.SENDING, _P.PARTIALLY_PAID, _P.FINISHED, _P.FAILED, _P.REFUNDED),
        _P.SENDING: (_P.PARTIALLY_PAID, _P.FINISHED, _P.FAILED, _P.REFUNDED),
        # A dashboard action may finish it; late money may finish what had expired (nowpayments.md, 5).
        _P.PARTIALLY_PAID: (_P.FINISHED, _P.REFUNDED),
        _P.EXPIRED: (_P.CONFIRMING, _P.CONFIRMED, _P.SENDING, _P.PARTIALLY_PAID, _P.FINISHED, _P.REFUNDED),
        # One that ended without money takes money as long as its address is good.
        _P.FAILED: (_P.REFUNDED, _P.PARTIALLY_PAID, _P.FINISHED),
        _P.FINISHED: (_P.REFUNDED,),
    }
)
