"""Payments: attempts to pay an order. Each is answered pending at once, and worked on by jobs."""

import uuid
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from app.contract import examples
from app.contract.page import Payments
from app.contract.payment import STATUSES, Payment
from app.core.errors import Problem
from app.core.ids import parse_id
from app.merchants.api_keys import Caller
from app.orders import service as ordering
from app.orders.merchant_orders import BadCharge, NoSuchOrder
from app.payments import create_for_merchants, queries
from app.payments.cards import EXPIRY, BadCard, BadVpa
from app.payments.create import CoinNotOffered
from app.payments.create_for_merchants import MethodNotOffered, NoSuchPayment, OrderNotPayable, PaymentNotCancellable
from app.payments.models import MerchantPayment
from app.payments.test_processor import BadDelay
from app.web.api import authentication, orders, posting, query_parameters
from app.web.api.bodies import PRINTABLE, Body, MalformedBody, Metadata
from app.web.api.declared import PAGED, needs
from app.web.api.orders import Nothing

Req = Request[Any, Any, Any]
FILTERS = ("status", "method", "order_id", "reference", "customer_email", "created_from", "created_to")
WORDS = {"status": STATUSES, "method": create_for_merchants.METHODS}
_ORDER_ID = str(examples.ORDER_ID)
BODIES = {
    "A card that succeeds": {
        "order_id": _ORDER_ID, "method": "card",
        "card": {"number": "4242424242424242", "expiry": "12/34", "cvv": "123"},
    },
    "A card that is declined, after a tenth of a second": {
        "order_id": _ORDER_ID, "method": "card",
        "card": {"number": "4000000000000002", "expiry": "12/34", "cvv": "123"}, "metadata": {"test_delay": "100"},
    },
    "UPI": {"order_id": _ORDER_ID, "method": "upi", "vpa": "success@test"},
    "Bitcoin": {"order_id": _ORDER_ID, "method": "crypto", "crypto": {"currency": "btc"}},
}  # fmt: skip


CoinCode = Annotated[str, Meta(max_length=16, pattern="^[A-Za-z0-9]+$", examples=["btc"])]


class Crypto(msgspec.Struct, forbid_unknown_fields=True):
    """`currency` is a coin's code; without one we choose the first that takes the amount."""

    currency: CoinCode | None = None


Vpa = Annotated[str, Meta(min_length=3, max_length=255, pattern=PRINTABLE, examples=["success@test"])]


class Upi(msgspec.Struct, forbid_unknown_fields=True):
    vpa: Vpa


class Card(msgspec.Struct, forbid_unknown_fields=True):
    """Test cards only. Of the number, its last four digits and the network are kept; expiry and CVV are not."""

    number: Annotated[str, Meta(min_length=12, max_length=23, pattern=PRINTABLE, examples=["4242424242424242"])]
    expiry: Annotated[str, Meta(min_length=4, max_length=9, pattern=PRINTABLE, examples=["12/34"])]
    cvv: Annotated[str, Meta(min_length=3, max_length=4, pattern=PRINTABLE, examples=["123"])]

    def __repr__(self) -> str:
        return "<Card hidden>"


class CryptoPaymentRequest(Body, tag_field="method", tag="crypto"):
    """In test mode the simulated processor plays it; live, coins are sent to the address in the payment."""

    order_id: uuid.UUID
    crypto: Crypto | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)

    def plainly(self) -> Body:
        coin = self.crypto.currency.lower() if self.crypto and self.crypto.currency else None
        return msgspec.structs.replace(self, crypto=Crypto(coin))


class UpiPaymentRequest(Body, tag_field="method", tag="upi"):
    """In test mode only. The VPA stands in `upi.vpa`, or beside `method` as `vpa`."""

    order_id: uuid.UUID
    upi: Upi | UnsetType = UNSET
    vpa: Vpa | UnsetType = UNSET
    metadata: Metadata = msgspec.field(default_factory=dict)

    def check(self) -> None:
        if self.upi is UNSET and self.vpa is UNSET:
            raise MalformedBody("vpa is missing: send it as vpa, or as upi.vpa.", field="vpa")
        if self.upi is not UNSET and self.vpa is not UNSET:
            raise MalformedBody("Send vpa or upi.vpa, not both.", field="vpa")

    def plainly(self) -> Body:
        given = self.vpa if self.vpa is not UNSET else self.upi.vpa if self.upi is not UNSET else ""
        return msgspec.structs.replace(self, upi=Upi(given.strip().lower()), vpa=UNSET)


class CardPaymentRequest(Body, tag_field="method", tag="card"):
    """In test mode only."""

    order_id: uuid.UUID
    card: Card
    metadata: Metadata = msgspec.field(default_factory=dict)

    def plainly(self) -> Body:
        number = self.card.number.replace(" ", "").replace("-", "")
        expiry = EXPIRY.fullmatch(self.card.expiry.strip())
        until = f"{expiry[1]}/{expiry[2][-2:]}" if expiry else self.card.expiry
        return msgspec.structs.replace(self, card=msgspec.structs.replace(self.card, number=number, expiry=until))


PaymentRequest = CryptoPaymentRequest | UpiPaymentRequest | CardPaymentRequest


async def create_one(caller: Caller, asked: PaymentRequest) -> Payment:
    method = str(asked.__struct_config__.tag)
    given = getattr(asked, method)
    beside = {"vpa": asked.vpa} if isinstance(asked, UpiPaymentRequest) and asked.vpa is not UNSET else {}
    spec = {name: getattr(given, name) for name in given.__struct_fields__} if given else beside
    owner = ordering.Owner(caller.merchant_id, caller.test)
    async with ordering.changing(asked.order_id, owner=owner) as order:
        if order is None:
            raise NoSuchOrder(orders.UNKNOWN)
        try:
            row = await create_for_merchants.create_for(order, method, spec | {"metadata": asked.metadata})
        except Problem as refused:
            if refused.field in spec and refused.field not in beside:
                refused.field = f"{method}.{refused.field}"
            raise
    return _shown(row)


async def find(caller: Caller, payment_id: str) -> MerchantPayment:
    """The merchant's own payment of this mode. Raises NoSuchPayment for anybody else's and for unknown ones alike."""
    found = parse_id(payment_id)
    row = await queries.of_merchant(caller.merchant_id, caller.test, found) if found else None
    if row is None:
        raise NoSuchPayment("Check the id, and whether it belongs to this key's mode.")
    return row


@post(
    "/payments", operation_id="create_payment", summary="Create a payment", tags=["payments"], status_code=201,
    opt=needs(
        "payments:write", body=PaymentRequest, bodies=BODIES,
        refusals=(
            NoSuchOrder, OrderNotPayable, MethodNotOffered, CoinNotOffered, BadCard, BadVpa, BadDelay, BadCharge,
        ),
    ),
)  # fmt: skip
async def create(request: Req) -> Response[Payment]:
    """Try to have an order paid. The answer is `pending`; what becomes of it is told by webhooks, or by asking."""
    return await posting.act(request, create_one)


@get(
    "/payments", operation_id="list_payments", summary="List payments", tags=["payments"],
    opt=needs("payments:read", query=(*FILTERS, *PAGED), words=WORDS),
)  # fmt: skip
async def index(request: Req) -> Payments:
    """The newest first."""
    caller = authentication.caller(request)
    given = query_parameters.parameters(request)
    before, most = query_parameters.page(given)
    chosen = query_parameters.filters(request, given)
    rows = await queries.merchant_page(caller.merchant_id, caller.test, chosen, before, most + 1)
    return query_parameters.listed(Payments, rows, most, _shown)


@get(
    "/payments/{payment_id:str}", operation_id="get_payment", summary="Retrieve a payment", tags=["payments"],
    opt=needs("payments:read", refusals=(NoSuchPayment,), answer=examples.PAID_PAYMENT),
)  # fmt: skip
async def show(request: Req, payment_id: FromPath[str]) -> Payment:
    """One payment, by its id."""
    caller = authentication.caller(request)
    row = await find(caller, payment_id)
    return _shown(row)


@post(
    "/payments/{payment_id:str}/cancel", operation_id="cancel_payment", summary="Cancel a payment", tags=["payments"],
    status_code=200,
    opt=needs(
        "payments:write", body=Nothing, refusals=(NoSuchPayment, PaymentNotCancellable),
        answer=msgspec.structs.replace(examples.CARD_PAYMENT, status="cancelled", failure="cancelled"),
    ),
)  # fmt: skip
async def cancel(request: Req, payment_id: FromPath[str]) -> Response[Payment]:
    """Only while it is pending. Its order stays payable."""

    async def work(caller: Caller, _: Nothing) -> Payment:
        found = await find(caller, payment_id)
        row = await create_for_merchants.cancel(caller.merchant_id, caller.test, found.id)
        return _shown(row)

    return await posting.act(request, work)


def _shown(row: MerchantPayment) -> Payment:
    return Payment.from_row(row, test=row.test)
