"""One example of each object, for the API's description: they belong together, as one payment's way leaves them."""

from typing import Any

ORDER_ID = "019aa5b3-0a67-7c1e-9d52-6f0a35a1c001"
PAYMENT_ID = "019aa5b3-1f02-7b8a-8a11-0c54d7b5d002"
REFUND_ID = "019aa5b4-8d33-7e40-b0f7-94a6c2e7f003"
ENDPOINT_ID = "019aa5b0-52c8-7d6f-93bb-2b7de81aa004"
DELIVERY_ID = "019aa5b3-4a10-7aa2-8c9d-51fb6dc0b005"
EVENT_ID = "019aa5b3-49f8-7f05-a2e4-7c3d99e0c006"
NEXT = "AZqlswpnfB6dUm8KNaHAAQ"
AT, LATER = "2026-11-21T08:30:00.000Z", "2026-11-21T08:30:08.412Z"

ORDER: dict[str, Any] = {
    "id": ORDER_ID, "object": "order", "mode": "test", "status": "created", "amount": "49.90", "currency": "USD",
    "reference": "cart-1042", "customer_email": "ann@example.com", "metadata": {"customer_id": "8812"}, "created": AT,
    "paid": None, "fulfilled": None,
}  # fmt: skip
PAYMENT: dict[str, Any] = {
    "id": PAYMENT_ID, "object": "payment", "mode": "test", "order_id": ORDER_ID, "status": "pending",
    "method": "card", "amount": "49.90", "currency": "USD", "captured": "0.00", "refunded": "0.00", "underpaid": False,
    "missing": "0.00",
    "overpaid": False, "excess": "0.00", "crypto": None, "metadata": {"attempt": "1"},
    "details": {"last4": "4242", "network": "visa"}, "failure": None, "created": AT, "updated": AT, "expires": None,
}  # fmt: skip
PAID = PAYMENT | {"status": "success", "captured": "49.90", "updated": LATER}
REFUND: dict[str, Any] = {
    "id": REFUND_ID, "object": "refund", "mode": "test", "order_id": ORDER_ID, "payment_id": PAYMENT_ID,
    "status": "pending", "amount": "24.95", "currency": "USD", "reason": "Returned goods", "error": None,
    "transaction": None, "created": LATER, "ended": None, "claim_url": None,
}  # fmt: skip
EVENT: dict[str, Any] = {
    "id": EVENT_ID, "type": "payment.success", "mode": "test", "created": LATER, "object": "payment",
    "object_id": PAYMENT_ID, "sequence": 3, "data": PAID,
}  # fmt: skip
ENDPOINT: dict[str, Any] = {
    "id": ENDPOINT_ID, "object": "endpoint", "mode": "test", "url": "https://shop.example.com/hooks/bitloot",
    "name": "Order desk", "types": [], "disabled": None, "disabled_why": None, "created": AT,
}  # fmt: skip
SECRET = {"secret": "whsec_" + "A" * 43 + "="}
DELIVERY: dict[str, Any] = {
    "id": DELIVERY_ID, "object": "delivery", "mode": "test", "endpoint_id": ENDPOINT_ID, "event_id": EVENT_ID,
    "type": "payment.success", "object_id": PAYMENT_ID, "status": "delivered", "attempts": 1, "last_attempt": LATER,
    "last_status": 200, "last_outcome": "delivered", "next_attempt": None, "created": LATER, "ended": LATER,
}  # fmt: skip
LOG: dict[str, Any] = {
    "payload": EVENT,
    "log": [
        {
            "number": 1, "at": LATER, "ms": 84, "outcome": "delivered", "status": 200, "address": "203.0.113.7",
            "headers": {"request": {"webhook-id": EVENT_ID}, "response": {"content-type": "text/plain"}},
            "response": "ok", "error": None,
        }
    ],
}  # fmt: skip
CURRENCY: dict[str, Any] = {
    "code": "USD", "object": "currency", "decimals": 2, "smallest": "0.01", "largest": "1000000.00",
}  # fmt: skip
COIN: dict[str, Any] = {
    "code": "btc", "object": "coin", "name": "Bitcoin", "network": "Bitcoin", "memo": False, "minimum": "5.25",
    "currency": "USD",
}  # fmt: skip
BODIES: dict[str, dict[str, Any]] = {
    "order": {
        "A test order": {
            "amount": "49.90", "currency": "USD", "reference": "cart-1042", "customer_email": "ann@example.com",
            "metadata": {"customer_id": "8812"},
        },
        "The same in cents": {"amount_minor": 4990, "currency": "USD", "reference": "cart-1042"},
        "Yen have no decimals": {"amount": "500", "currency": "JPY", "reference": "cart-1043"},
    },
    "payment": {
        "A card that succeeds": {
            "order_id": ORDER_ID, "method": "card",
            "card": {"number": "4242424242424242", "expiry": "12/34", "cvv": "123"},
        },
        "A card that is declined, after a tenth of a second": {
            "order_id": ORDER_ID, "method": "card",
            "card": {"number": "4000000000000002", "expiry": "12/34", "cvv": "123"}, "metadata": {"test_delay": "100"},
        },
        "UPI": {"order_id": ORDER_ID, "method": "upi", "vpa": "success@test"},
        "Bitcoin": {"order_id": ORDER_ID, "method": "crypto", "crypto": {"currency": "btc"}},
    },
    "refund": {"Half of it": {"amount": "24.95", "reason": "Returned goods"}, "All that is left": {"reason": "Lost"},
               "Twenty dollars": {"amount_minor": 2000, "reason": "Late"}},
    "endpoint": {"All events": {"url": "https://shop.example.com/hooks/bitloot", "name": "Order desk"}},
    "change": {"Payments only": {"types": ["payment.success", "payment.failed"]}, "Disable": {"disabled": True}},
    "rotation": {"A day of overlap": {"overlap": 86400}},
    "retries": {
        "What failed since this morning": {"since": "2026-11-21T00:00:00Z"},
        "All of one hour": {"since": "2026-11-21T08:00:00Z", "until": "2026-11-21T09:00:00Z", "delivered": True},
    },
}  # fmt: skip
