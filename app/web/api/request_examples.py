"""Examples of request bodies, for the API's description."""

from typing import Any

from app.contract import examples

ORDER_ID = str(examples.ORDER_ID)
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
