"""Payouts over HTTP (fact sheet, section 10): the key for all, the JWT besides for what moves money."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from litestar import MediaType, Response, get, post
from litestar.params import FromPath

from dev.sandbox.nowpayments import forms, listing, payouts
from dev.sandbox.nowpayments.coins import COINS
from dev.sandbox.nowpayments.refusals import bad_params
from dev.sandbox.wire import Answer, Call, answer, read_object
from dev.sandbox.world import World, world_of


def _signed_in(request: Call) -> World:
    world = world_of(request)
    listing.check_token(world, request.headers.get("authorization", ""))
    return world


def _fine() -> Answer:
    """Plain text, not JSON."""
    return Response(b"OK", media_type=MediaType.TEXT)


@post("/payout/validate-address", status_code=200)
async def validate_address(request: Call) -> Answer:
    """Whether a coin can be sent to an address."""
    fields = await read_object(request)
    coin = payouts.coin_named(forms.needed_text(fields, "currency"))
    payouts.check_address(coin, forms.needed_text(fields, "address"), forms.text(fields, "extra_id"))
    return _fine()


@get("/payout-withdrawal/min-amount/{code:str}")
async def least_payout(code: FromPath[str]) -> Answer:
    """The least that can be sent of a coin."""
    return answer({"success": True, "result": payouts.least(payouts.coin_named(code))})


@get("/payout/fee")
async def payout_fee(request: Call) -> Answer:
    """An estimate of the fee."""
    coin = payouts.coin_named(request.query_params.get("currency", ""))
    try:
        amount = Decimal(request.query_params.get("amount", ""))
    except InvalidOperation:
        raise bad_params('"amount" must be a number') from None
    return answer({"currency": coin.code.upper(), "fee": coin.quantize(amount * payouts.FEE)})


@get("/balance")
async def custody(request: Call) -> Answer:
    """What lies in custody, a coin each."""
    usd = world_of(request).storage.settings.custody
    return answer({c.code: {"amount": c.quantize(usd / c.usd), "pendingAmount": 0} for c in COINS.values()})


@post("/payout", status_code=200)
async def create_payout(request: Call) -> Answer:
    """Ask for payouts; they wait for their code."""
    return answer(payouts.shown(payouts.create(_signed_in(request), await read_object(request))))


@post("/payout/{batch_id:str}/verify", status_code=200)
async def verify_payout(request: Call, batch_id: FromPath[str]) -> Answer:
    """The one-time code of a batch."""
    world = _signed_in(request)
    fields = await read_object(request)
    payouts.verify(world, payouts.found(world, batch_id), fields.get("verification_code"))
    return _fine()


@get("/payout/{batch_id:str}")
async def show_payout(request: Call, batch_id: FromPath[str]) -> Answer:
    """One batch as it stands; `?shape=list` answers as the docs show it."""
    batch = payouts.found(world_of(request), batch_id)
    bare = request.query_params.get("shape") == "list"
    return answer([payouts.row(batch, one) for one in batch.withdrawals] if bare else payouts.shown(batch))


@get("/payout")
async def list_payouts(request: Call) -> Answer:
    """All withdrawals, paged."""
    return answer(payouts.listed(world_of(request), dict(request.query_params)))


HANDLERS = [
    validate_address, least_payout, payout_fee, custody, create_payout, verify_payout, show_payout, list_payouts,
]  # fmt: skip
