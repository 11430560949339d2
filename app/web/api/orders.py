"""A merchant's orders: what its customers are to pay for."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from msgspec import Meta

from app.accounts.addresses import SHAPE
from app.core.ids import parse_id
from app.core.money import Money
from app.mail.recipients import LONGEST
from app.merchants.keys import Caller
from app.orders import charging, queries
from app.orders.charging import NoSuchOrder
from app.orders.states import OrderStatus
from app.web.api import answers, bodies, gate, lists, posting
from app.web.api.bodies import Amount, Metadata
from app.webhooks import objects

Asked = Request[Any, Any, Any]
FILTERS = ("status", "reference", "customer_email", "created_from", "created_to")
UNKNOWN = "Check the id, and whether it is of this key's mode."
WORDS = {"status": tuple(OrderStatus)}


CustomerEmail = Annotated[
    str,
    Meta(
        max_length=LONGEST,
        pattern=rf"^\s*(?:{SHAPE})?\s*$",
        description="Refunds are offered there. In any spelling; blanks around it are dropped.",
        examples=["ann@example.com"],
    ),
]


class OrderRequest(msgspec.Struct, forbid_unknown_fields=True):
    """`reference` is your own name of the order; it need not be unique."""

    amount: Amount
    currency: Annotated[
        Literal["USD", "EUR", "INR"], Meta(description="Live orders are in the shop's own currency.", examples=["USD"])
    ]
    reference: Annotated[str, Meta(min_length=1, max_length=128, pattern=bodies.PRINTABLE, examples=["cart-1042"])]
    customer_email: CustomerEmail | None = None
    metadata: Metadata = {}


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """An empty object, or no body at all."""


async def create_one(caller: Caller, asked: OrderRequest) -> tuple[int, Mapping[str, Any]]:
    row = await charging.charge(
        caller.merchant_id,
        test=caller.test,
        amount=Money(asked.amount, asked.currency),
        reference=asked.reference,
        email=asked.customer_email or "",
        metadata=asked.metadata,
    )
    return 201, objects.order(row)


async def find(caller: Caller, order_id: str) -> dict[str, Any]:
    """The merchant's own order of this mode. Raises NoSuchOrder for anybody else's and for unknown ones alike."""
    found = parse_id(order_id)
    row = await queries.of_merchant(caller.merchant_id, caller.test, found) if found else None
    if row is None:
        raise NoSuchOrder(UNKNOWN)
    return row


@post("/orders", summary="Create an order", tags=["orders"], status_code=201)
async def create(request: Asked) -> Response[bytes]:
    """An order is an amount that a customer of yours is to pay. It stays payable until it is paid or cancelled."""
    return await posting.act(request, "orders:write", OrderRequest, create_one)


@get("/orders", summary="List orders", tags=["orders"])
async def index(request: Asked) -> Response[bytes]:
    """The newest first."""
    caller = await gate.enter(request, "orders:read")
    given = lists.parameters(request, *FILTERS, "after", "limit")
    before, most = lists.page(given)
    chosen = lists.filters(given, words=WORDS)
    rows = await queries.merchant_page(caller.merchant_id, caller.test, chosen, before, most + 1)
    return answers.answer(request, lists.listed(rows, most, [objects.order(row) for row in rows]))


@get("/orders/{order_id:str}", summary="Retrieve an order", tags=["orders"])
async def show(request: Asked, order_id: FromPath[str]) -> Response[bytes]:
    caller = await gate.enter(request, "orders:read")
    lists.parameters(request)
    return answers.answer(request, objects.order(await find(caller, order_id)))


@post("/orders/{order_id:str}/cancel", summary="Cancel an order", tags=["orders"], status_code=200)
async def cancel(request: Asked, order_id: FromPath[str]) -> Response[bytes]:
    """Only before money was seen; what comes all the same can go back."""

    async def work(caller: Caller, _: Nothing) -> tuple[int, Mapping[str, Any]]:
        order = await find(caller, order_id)
        return 200, objects.order(await charging.cancel(caller.merchant_id, caller.test, order["id"]))

    return await posting.act(request, "orders:write", Nothing, work)
