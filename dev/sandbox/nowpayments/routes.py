"""NOWPayments over HTTP, at `/nowpayments/v1` (fact sheet, section 2)."""

from __future__ import annotations

import hmac
from decimal import Decimal, InvalidOperation

from litestar import Router, get, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from dev.sandbox.fault_middleware import fault_middleware
from dev.sandbox.holds import holding
from dev.sandbox.nowpayments import cases, create, listing, payout_routes, refusals, views
from dev.sandbox.nowpayments.coins import COINS, FIAT_IN_USD, SETTLEMENT, Coin, usd_rate
from dev.sandbox.nowpayments.refusals import NowRefusal, bad_params, not_found, unconvertible
from dev.sandbox.records import Payment
from dev.sandbox.times import zulu
from dev.sandbox.wire import Answer, Call, Fields, answer, read_object
from dev.sandbox.world import World, world_of

PREFIX = "/nowpayments/v1"


def routes(world: World) -> Router:
    """All routes of this provider behind its faults."""
    keyed = Router(
        "/",
        guards=[_key_guard],
        route_handlers=[
            currencies, full_currencies, merchant_coins, min_amount, estimate, create_invoice,
            create_invoice_payment, create_payment, list_payments, show_payment, update_estimate,
            *payout_routes.HANDLERS,
        ],
    )  # fmt: skip
    holds = holding("nowpayments", world.holds, refusals.face)
    faults = fault_middleware("nowpayments", world.switches, refusals.face)
    return Router(PREFIX, route_handlers=[show_status, log_in, keyed], middleware=[holds, faults])


async def _key_guard(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    given = connection.headers.get("x-api-key", "")
    expected = connection.app.state["world"].config.nowpayments_api_key
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise NowRefusal(403, "INVALID_API_KEY", "Invalid api key")


@get("/status")
async def show_status() -> Answer:
    """Alive; needs no key."""
    return answer({"message": "OK"})


@post("/auth", status_code=200)
async def log_in(request: Call) -> Answer:
    """Any e-mail and password will do; they only have to be there."""
    fields = await read_object(request)
    if not all(isinstance(fields.get(name), str) and fields[name] for name in ("email", "password")):
        raise bad_params('"email" and "password" are required')
    return answer({"token": listing.new_token(world_of(request))})


@get("/currencies")
async def currencies() -> Answer:
    """All coin codes, in lower case."""
    return answer({"currencies": list(COINS)})


@get("/full-currencies")
async def full_currencies() -> Answer:
    """All coins with their details, in upper case."""
    return answer({"currencies": [views.full_currency(n, coin) for n, coin in enumerate(COINS.values(), 1)]})


@get("/merchant/coins")
async def merchant_coins() -> Answer:
    """The coins the merchant switched on: all."""
    return answer({"selectedCurrencies": [code.upper() for code in COINS]})


@get("/min-amount")
async def min_amount(request: Call) -> Answer:
    """The least deposit of `currency_from`."""
    query = dict(request.query_params)
    source = _currency(query, "currency_from")
    target = query.get("currency_to", SETTLEMENT.code).lower()
    if source not in COINS or usd_rate(target) is None:
        raise unconvertible(source, target)
    least = COINS[source].least()
    found: Fields = {"currency_from": source, "currency_to": target, "min_amount": least}
    if fiat := query.get("fiat_equivalent"):
        if fiat.lower() not in FIAT_IN_USD:
            raise bad_params(f"Fiat {fiat} is not supported")
        worth = least * COINS[source].usd / FIAT_IN_USD[fiat.lower()]
        found["fiat_equivalent"] = worth.quantize(Decimal("0.00000001"))
    return answer(found)


@get("/estimate")
async def estimate(request: Call) -> Answer:
    """What an amount is worth in another currency; the estimate is a string."""
    query = dict(request.query_params)
    source, target = _currency(query, "currency_from"), _currency(query, "currency_to")
    try:
        amount = Decimal(query.get("amount", ""))
    except InvalidOperation:
        raise bad_params('"amount" must be a number') from None
    if not amount.is_finite() or not 0 < amount <= 10**12:
        raise bad_params('"amount" must be a positive number')
    source_rate, target_rate = usd_rate(source), usd_rate(target)
    if source_rate is None or target_rate is None:
        raise unconvertible(source, target)
    coin: Coin | None = COINS.get(target)
    usd = amount * source_rate
    estimated = coin.of_usd(usd) if coin else (usd / target_rate).quantize(Decimal("0.01"))
    return answer(
        {"currency_from": source, "amount_from": amount, "currency_to": target, "estimated_amount": f"{estimated:f}"}
    )


@post("/invoice", status_code=201)
async def create_invoice(request: Call) -> Answer:
    """A hosted page on which the customer pays."""
    world = world_of(request)
    return answer(views.invoice(world, create.open_invoice(world, await read_object(request))), 201)


@post("/invoice-payment", status_code=201)
async def create_invoice_payment(request: Call) -> Answer:
    """A payment on an invoice, in the coin the customer chose."""
    world = world_of(request)
    return _opened(world, create.pay_invoice(world, await read_object(request), cases.CASE_NAMES))


@post("/payment", status_code=201)
async def create_payment(request: Call) -> Answer:
    """A payment with its own address."""
    world = world_of(request)
    return _opened(world, create.open_payment(world, await read_object(request), cases.CASE_NAMES))


@get("/payment")
async def list_payments(request: Call) -> Answer:
    """All payments, paged; wants the JWT too."""
    world = world_of(request)
    listing.check_token(world, request.headers.get("authorization", ""))
    return answer(listing.page_of(world, dict(request.query_params)))


@get("/payment/{payment_id:str}")
async def show_payment(request: Call, payment_id: FromPath[str]) -> Answer:
    """One payment as it stands."""
    return answer(views.status(_found(world_of(request), payment_id)))


@post("/payment/{payment_id:str}/update-merchant-estimate", status_code=200)
async def update_estimate(request: Call, payment_id: FromPath[str]) -> Answer:
    """The rate of the moment, once the old estimate has expired."""
    world = world_of(request)
    payment = create.renew_estimate(world, _found(world, payment_id))
    return answer(
        {
            "id": payment.id,
            "token_id": payment.token_id,
            "pay_amount": payment.pay_amount,
            "expiration_estimate_date": zulu(payment.estimate_until),
        }
    )


def _opened(world: World, payment: Payment) -> Answer:
    cases.schedule(world, payment)
    return answer(views.created(payment), 201)


def _found(world: World, payment_id: str) -> Payment:
    payment = world.storage.payments.get(payment_id)
    if payment is None:
        raise not_found("Payment")
    return payment


def _currency(query: dict[str, str], name: str) -> str:
    code = query.get(name, "").lower()
    if not code:
        raise bad_params(f'"{name}" is required')
    return code
