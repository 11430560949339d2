"""A merchant's orders: what its customers are to pay for."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from app.accounts import addresses
from app.accounts.addresses import SHAPE, BadEmail
from app.contract import examples
from app.contract.order import Order
from app.contract.page import Orders
from app.core.i18n import N_, _
from app.core.ids import parse_id
from app.core.money import Money
from app.mail.recipients import LONGEST
from app.merchants.api_keys import Caller
from app.orders import merchant_orders, models, queries
from app.orders.merchant_orders import CURRENCIES, BadCharge, NoSuchOrder, OrderNotCancellable
from app.orders.states import OrderStatus
from app.web.api import authentication, bodies, posting, query_parameters
from app.web.api.bodies import Amount, Body, MalformedBody, Metadata, Minor, TooFine, UnusableValue
from app.web.api.declared import PAGED, needs

Req = Request[Any, Any, Any]
FILTERS = ("status", "reference", "customer_email", "created_from", "created_to")
UNKNOWN = N_("Check the id, and whether it belongs to this key's mode.")
WORDS = {"status": tuple(OrderStatus)}
BODIES = {
    "A test order": {
        "amount": "49.90", "currency": "USD", "reference": "cart-1042", "customer_email": "ada@example.com",
        "metadata": {"customer_id": "8812"},
    },
    "The same in cents": {"amount_minor": 4990, "currency": "USD", "reference": "cart-1042"},
    "Yen have no decimals": {"amount": "500", "currency": "JPY", "reference": "cart-1043"},
}  # fmt: skip


CustomerEmail = Annotated[
    str,
    Meta(
        max_length=LONGEST,
        pattern=r"^[^\x00-\x08\x0e-\x1f\x7f]*$",
        # What has another shape is answered by `bad_email`, whose words help more than a pattern's.
        extra_json_schema={"pattern": rf"^\s*(?:{SHAPE})?\s*$"},
        description="Refund links are sent there. Spaces around it are removed.",
        examples=["ann@example.com"],
    ),
]


class OrderRequest(Body):
    """`amount` or `amount_minor`, one of them. `reference` is your own name of the order; it need not be unique."""

    currency: Annotated[
        str,
        Meta(
            min_length=3, max_length=3, extra_json_schema={"enum": list(CURRENCIES)}, examples=["USD"],
            description="ISO 4217, the same in test and live mode: `GET /api/v1/currencies`.",
        ),
    ]  # fmt: skip
    reference: Annotated[str, Meta(min_length=1, max_length=128, pattern=bodies.PRINTABLE, examples=["cart-1042"])]
    amount: Amount | UnsetType = UNSET
    amount_minor: Minor | UnsetType = UNSET
    customer_email: CustomerEmail | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)

    def check(self) -> None:
        if self.currency not in CURRENCIES:
            raise MalformedBody(
                _("Use one of these currencies: %(names)s.", names=", ".join(CURRENCIES)), field="currency"
            )
        if self.amount is UNSET and self.amount_minor is UNSET:
            raise MalformedBody(f"{_('%(name)s is missing.', name='amount')} {_(bodies.BOTH_WAYS)}", field="amount")
        if self.amount is not UNSET and self.amount_minor is not UNSET:
            raise MalformedBody("Send amount or amount_minor, not both.", field="amount_minor")

    @property
    def money(self) -> Money:
        """Raises BadCharge for an amount that its currency does not have."""
        try:
            return Money(bodies.amount_of(self.amount, self.amount_minor, self.currency) or Decimal(0), self.currency)
        except TooFine as fine:
            raise BadCharge(str(fine), field="amount") from None

    def plainly(self) -> Body:
        amount = self.amount if self.amount_minor is UNSET else Amount(self.money.amount)
        email = addresses.key(self.customer_email or "") or None  # as the shop compares them
        return msgspec.structs.replace(self, amount=amount, amount_minor=UNSET, customer_email=email)


class Nothing(Body):
    """An empty object, or no body at all."""


async def create_one(caller: Caller, asked: OrderRequest) -> Order:
    row = await merchant_orders.create(
        caller.merchant_id,
        test=caller.test,
        amount=asked.money,
        reference=asked.reference,
        email=asked.customer_email or "",
        metadata=asked.metadata,
    )
    return Order.from_row(row)


async def find(caller: Caller, order_id: str) -> models.Order:
    """The merchant's own order of this mode. Raises NoSuchOrder for anybody else's and for unknown ones alike."""
    found = parse_id(order_id)
    row = await queries.of_merchant(caller.merchant_id, caller.test, found) if found else None
    if row is None:
        raise NoSuchOrder(UNKNOWN)
    return row


@post(
    "/orders", operation_id="create_order", summary="Create an order", tags=["orders"], status_code=201,
    opt=needs("orders:write", body=OrderRequest, bodies=BODIES, refusals=(BadCharge, BadEmail, UnusableValue)),
)  # fmt: skip
async def create(request: Req) -> Response[Order]:
    """An order is an amount that a customer of yours is to pay. It stays payable until it is paid or cancelled."""
    return await posting.act(request, create_one)


@get(
    "/orders", operation_id="list_orders", summary="List orders", tags=["orders"],
    opt=needs("orders:read", query=(*FILTERS, *PAGED), words=WORDS),
)  # fmt: skip
async def index(request: Req) -> Orders:
    """The newest first."""
    caller = authentication.caller(request)
    given = query_parameters.parameters(request)
    before, most = query_parameters.page(given)
    chosen = query_parameters.filters(request, given)
    rows = await queries.merchant_page(caller.merchant_id, caller.test, chosen, before, most + 1)
    return query_parameters.listed(Orders, rows, most, Order.from_row)


@get(
    "/orders/{order_id:str}", operation_id="get_order", summary="Retrieve an order", tags=["orders"],
    opt=needs("orders:read", refusals=(NoSuchOrder,)),
)  # fmt: skip
async def show(request: Req, order_id: FromPath[str]) -> Order:
    """One order, by its id."""
    caller = authentication.caller(request)
    return Order.from_row(await find(caller, order_id))


@post(
    "/orders/{order_id:str}/cancel", operation_id="cancel_order", summary="Cancel an order", tags=["orders"],
    status_code=200,
    opt=needs(
        "orders:write", body=Nothing, refusals=(NoSuchOrder, OrderNotCancellable),
        answer=msgspec.structs.replace(examples.ORDER, status="cancelled"),
    ),
)  # fmt: skip
async def cancel(request: Req, order_id: FromPath[str]) -> Response[Order]:
    """Only before money was seen; what comes all the same can go back."""

    async def work(caller: Caller, _: Nothing) -> Order:
        order = await find(caller, order_id)
        return Order.from_row(await merchant_orders.cancel(caller.merchant_id, caller.test, order.id))

    return await posting.act(request, work)
