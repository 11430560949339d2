"""One example of each object. They belong together, as one order's way leaves them."""

from uuid import UUID

from msgspec.structs import asdict, replace

from app.contract.delivery import Attempt, Delivery, DeliveryWithLog
from app.contract.endpoint import (
    DeliveriesRetried,
    Endpoint,
    EndpointRemoved,
    EndpointWithSecret,
    TestEventSent,
)
from app.contract.event import Event, NumberedEvent, TestedEndpoint
from app.contract.offers import CoinOffered, CurrencyOffered
from app.contract.order import Order
from app.contract.page import Coins, Currencies, Deliveries, Endpoints, Events, Orders, Payments, Refunds
from app.contract.payment import CryptoState, Payment
from app.contract.refund import Refund

ORDER_ID = UUID("0199d2ef-91a0-7e2b-8f6d-3c1a5b7e9d01")
PAYMENT_ID = UUID("0199d2ef-a4c8-7b3e-92d5-6e0f1a2b3c02")
REFUND_ID = UUID("0199d2f4-07d1-7d44-a1b8-9c2e4f6a8b03")
ENDPOINT_ID = UUID("0199d2f5-3b2a-7f10-b6c4-1d3e5f7a9b04")
DELIVERY_ID = UUID("0199d2f0-6a10-7aa2-8c9d-51fb6dc0b005")
EVENT_ID = UUID("0199d2f0-5e3a-7c61-9b1f-000000000004")
NEXT = "AZnS75GgfiuPbTwaW36dAQ"
AT, LATER, TOLD = "2026-11-21T10:00:00.000Z", "2026-11-21T10:04:00.000Z", "2026-11-21T10:04:12.345Z"

ORDER = Order(
    id=ORDER_ID, object="order", mode="test", status="created", amount="49.90", currency="USD", reference="cart-1042",
    customer_email="ada@example.com", metadata={"customer_id": "8812"}, created=AT, paid=None, fulfilled=None,
)  # fmt: skip
PAID_ORDER = replace(ORDER, status="paid", paid=LATER)
COINS = CryptoState(
    currency="btc", amount="0.00054321", address="bc1qexampleexampleexampleexampleexample0", memo=None, received="0",
    invoice_url=None,
)  # fmt: skip
CRYPTO_PAYMENT = Payment(
    id=PAYMENT_ID, object="payment", mode="test", order_id=ORDER_ID, status="pending", method="crypto", amount="49.90",
    currency="USD", captured="0.00", refunded="0.00", crypto=COINS, underpaid=False, missing="0.00", overpaid=False,
    excess="0.00", metadata={}, details={}, failure=None, created=AT, updated=LATER,
    expires="2026-11-21T10:20:00.000Z",
)  # fmt: skip
CARD_PAYMENT = replace(
    CRYPTO_PAYMENT, method="card", crypto=None, metadata={"attempt": "1"},
    details={"last4": "4242", "network": "visa"}, updated=AT, expires=None,
)  # fmt: skip
PAID_PAYMENT = replace(CARD_PAYMENT, status="success", captured="49.90", updated=LATER)
REFUND = Refund(
    id=REFUND_ID, object="refund", mode="test", order_id=ORDER_ID, payment_id=PAYMENT_ID, status="pending",
    amount="24.95", currency="USD", reason="half of it was out of stock", error=None, transaction=None, created=LATER,
    ended=None, claim_url=None,
)  # fmt: skip
EVENT = Event(
    id=EVENT_ID, type="payment.success", mode="test", created=TOLD, object="payment", object_id=PAYMENT_ID, sequence=3,
    data=PAID_PAYMENT,
)  # fmt: skip
ENDPOINT = Endpoint(
    id=ENDPOINT_ID, object="endpoint", mode="test", url="https://shop.example.com/hooks", name="the shop", types=[],
    disabled=None, disabled_why=None, created=AT,
)  # fmt: skip
TESTED = TestedEndpoint(id=ENDPOINT_ID, object="endpoint", url=ENDPOINT.url, name=ENDPOINT.name)
DELIVERY = Delivery(
    id=DELIVERY_ID, object="delivery", mode="test", endpoint_id=ENDPOINT_ID, event_id=EVENT_ID, type="payment.success",
    object_id=PAYMENT_ID, status="delivered", attempts=1, last_attempt=TOLD, last_status=200,
    last_outcome="delivered", next_attempt=None, created=TOLD, ended=TOLD,
)  # fmt: skip
ATTEMPT = Attempt(
    number=1, at=TOLD, ms=84, outcome="delivered", status=200, address="203.0.113.7",
    headers={"request": {"webhook-id": str(EVENT_ID)}, "response": {"content-type": "text/plain"}}, response="ok",
    error=None,
)  # fmt: skip
CURRENCY = CurrencyOffered(code="USD", object="currency", decimals=2, smallest="0.01", largest="1000000.00")
COIN = CoinOffered(
    code="btc", object="coin", name="Bitcoin", network="Bitcoin", memo=False, minimum="5.25", currency="USD"
)  # fmt: skip

ANSWERS: dict[type, object] = {
    Order: ORDER,
    Orders: Orders(data=[ORDER], next=NEXT),
    Payment: CARD_PAYMENT,
    Payments: Payments(data=[PAID_PAYMENT], next=NEXT),
    Refund: REFUND,
    Refunds: Refunds(data=[REFUND], next=NEXT),
    Events: Events(data=[NumberedEvent(**asdict(EVENT), number=1042)], next=1042, more=False),
    Endpoint: ENDPOINT,
    Endpoints: Endpoints(data=[ENDPOINT]),
    EndpointWithSecret: EndpointWithSecret(**asdict(ENDPOINT), secret="whsec_" + "A" * 43 + "="),
    EndpointRemoved: EndpointRemoved(id=ENDPOINT_ID, object="endpoint", deleted=True),
    TestEventSent: TestEventSent(event_id=EVENT_ID, endpoint_id=ENDPOINT_ID),
    DeliveriesRetried: DeliveriesRetried(endpoint_id=ENDPOINT_ID, retried=3),
    Delivery: DELIVERY,
    Deliveries: Deliveries(data=[DELIVERY], next=NEXT),
    DeliveryWithLog: DeliveryWithLog(**asdict(DELIVERY), payload=EVENT, log=[ATTEMPT]),
    Currencies: Currencies(data=[CURRENCY]),
    Coins: Coins(data=[COIN]),
}
"""What a route that answers with a type may answer."""
PATHS: dict[str, UUID] = {
    "order_id": ORDER_ID, "payment_id": PAYMENT_ID, "refund_id": REFUND_ID, "endpoint_id": ENDPOINT_ID,
    "delivery_id": DELIVERY_ID,
}  # fmt: skip
"""The ids of a path, by their names."""
