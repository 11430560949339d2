"""Refunds: all of a payment's money, or part of it, goes back."""

import contextlib
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath
from msgspec import UNSET, Meta, UnsetType

from app.contract.page import Refunds
from app.contract.refund import Refund
from app.core.ids import parse_id
from app.merchants.api_keys import Caller
from app.payments.create import CoinNotOffered
from app.payments.create_for_merchants import NoSuchPayment
from app.refunds import claim, create_for_merchants, queries
from app.refunds.addresses import BadAddress, Target
from app.refunds.create_for_merchants import BadAmount, BadReason, PaymentNotCaptured
from app.refunds.models import MerchantRefund
from app.refunds.service import NoSuchRefund, TooMuch
from app.refunds.states import RefundStatus
from app.web.api import authentication, bodies, payments, posting, query_parameters
from app.web.api.bodies import Amount, Body, MalformedBody, Minor, UnusableValue
from app.web.api.declared import PAGED, needs

Req = Request[Any, Any, Any]
FILTERS = ("status", "order_id", "payment_id", "reference", "customer_email", "created_from", "created_to")
WORDS = {"status": tuple(RefundStatus)}
BODIES: dict[str, dict[str, object]] = {
    "Half of it": {"amount": "24.95", "reason": "Returned goods"}, "All that is left": {"reason": "Lost"},
    "Twenty dollars": {"amount_minor": 2000, "reason": "Late"},
}  # fmt: skip


class Address(msgspec.Struct, forbid_unknown_fields=True):
    """Where coins go back to. Without one, the customer names it by the refund's `claim_url`."""

    coin: payments.CoinCode
    address: Annotated[
        str,
        Meta(
            min_length=1, max_length=200, pattern=bodies.PRINTABLE,
            examples=["bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"],
        ),
    ]  # fmt: skip
    memo: Annotated[str, Meta(max_length=100, pattern=bodies.EMPTY_OR_PRINTABLE)] | None = None


class RefundRequest(Body):
    """Without an `amount` or `amount_minor`, all that is left of the payment goes back."""

    reason: Annotated[str, Meta(min_length=1, max_length=300, pattern=bodies.PRINTABLE, examples=["Returned goods"])]
    amount: Amount | UnsetType = UNSET
    amount_minor: Minor | UnsetType = UNSET
    address: Address | None = None

    def check(self) -> None:
        if self.amount is not UNSET and self.amount_minor is not UNSET:
            raise MalformedBody("Send amount or amount_minor, not both.", field="amount_minor")

    def plainly(self) -> Body:
        if self.address is None:
            return self
        told = msgspec.structs.replace(self.address, coin=self.address.coin.lower(), memo=self.address.memo or "")
        return msgspec.structs.replace(self, address=told)


@post(
    "/payments/{payment_id:str}/refunds", operation_id="create_refund", summary="Refund a payment", tags=["refunds"],
    status_code=201,
    opt=needs(
        "refunds:write", body=RefundRequest, bodies=BODIES,
        refusals=(
            NoSuchPayment, PaymentNotCaptured, TooMuch, BadAmount, BadReason, BadAddress, CoinNotOffered, UnusableValue,
        ),
    ),
)  # fmt: skip
async def create(request: Req, payment_id: FromPath[str]) -> Response[Refund]:
    """At most what was captured less what went back. The answer is `pending`; webhooks tell what becomes of it."""

    async def prepare(caller: Caller, asked: RefundRequest) -> None:
        """``amount_minor`` is read by the payment's currency, so that 2495 cents and 24.95 are the same request."""
        if asked.amount_minor is UNSET:
            return
        with contextlib.suppress(NoSuchPayment):
            currency = (await payments.find(caller, payment_id)).price_currency
            amount = bodies.amount_of(UNSET, asked.amount_minor, currency)
            asked.amount, asked.amount_minor = Amount(amount or 0), UNSET

    async def work(caller: Caller, asked: RefundRequest) -> Refund:
        payment = await payments.find(caller, payment_id)
        target = await _target(asked.address) if asked.address else None
        row = await create_for_merchants.create(
            caller.merchant_id, caller.test, payment.id, asked.amount or None, asked.reason, target,
            f"key {caller.key_id}",
        )  # fmt: skip
        return _shown(row)

    return await posting.act(request, work, prepare=prepare)


async def _target(asked: Address) -> Target:
    try:
        return await claim.parse(asked.coin.lower(), asked.address, asked.memo or "")
    except BadAddress as bad:
        # Coins come and go: that one is not offered now is not said of the address, and not for good.
        refusal = CoinNotOffered if bad.field == "coin" else BadAddress
        raise refusal(bad.detail, field=f"address.{bad.field}") from None


@get(
    "/refunds", operation_id="list_refunds", summary="List refunds", tags=["refunds"],
    opt=needs("refunds:read", query=(*FILTERS, *PAGED), words=WORDS),
)  # fmt: skip
async def index(request: Req) -> Refunds:
    """The newest first."""
    caller = authentication.caller(request)
    given = query_parameters.parameters(request)
    before, most = query_parameters.page(given)
    chosen = query_parameters.filters(request, given)
    rows = await queries.merchant_page(caller.merchant_id, caller.test, chosen, before, most + 1)
    return query_parameters.listed(Refunds, rows, most, _shown)


@get(
    "/refunds/{refund_id:str}", operation_id="get_refund", summary="Retrieve a refund", tags=["refunds"],
    opt=needs("refunds:read", refusals=(NoSuchRefund,)),
)  # fmt: skip
async def show(request: Req, refund_id: FromPath[str]) -> Refund:
    """One refund, by its id."""
    caller = authentication.caller(request)
    found = parse_id(refund_id)
    row = await queries.of_merchant(caller.merchant_id, caller.test, found) if found else None
    if row is None:
        raise NoSuchRefund("Check the id, and whether it belongs to this key's mode.")
    return _shown(row)


def _shown(row: MerchantRefund) -> Refund:
    return Refund.from_row(row, test=row.test)
