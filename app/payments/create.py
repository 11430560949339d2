"""Asking for money: an attempt at the whole price, or a top-up of what is missing of it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from app.catalog import rates
from app.core import clock, db
from app.core.errors import Invalid
from app.core.i18n import _
from app.core.ids import new_id
from app.core.money import Money, plain
from app.core.settings import settings
from app.core.state_machine import move
from app.history import service as history
from app.ledger import uses
from app.ledger.states import UseKind
from app.orders import queries as order_rows
from app.orders import service as orders
from app.orders.models import Order
from app.payments import coins, models, queries
from app.payments.models import Coin, Seller
from app.payments.schedule import FIRST_LOOK
from app.payments.states import MOVES, Failure, PaymentStatus
from app.payments.tables import Payment
from app.providers.http import ApiKeyRejected, ProviderProtocolError, ProviderRefused
from app.providers.nowpayments import Invoice, NowPayments, PaymentReport
from app.queue import aliases

Commit = Callable[[], AbstractAsyncContextManager[None]]


UNOPENED = timedelta(days=1)  # a merchant's payment that nobody could open is closed after this long
CLOSED_A_TIME = 200  # payments


class CoinNotOffered(Invalid):
    title = "That coin can't be used here"


async def choose_coin(code: str | None, total: Money) -> str:
    """The coin to pay ``total`` in: the one named, else the first whose minimum it reaches. Raises CoinNotOffered."""
    offered, rate = await queries.coins(), await rates.between(settings().shop_currency, total.currency)
    if not code:
        least_of = {coin.code: coins.minimum_in(coin, total.currency, rate) for coin in offered}
        fitting = [c for c in offered if (least := least_of[c.code]) is None or least <= total]
        if not fitting:
            raise CoinNotOffered("This order is too small to be paid in any coin.", field="pay_currency")
        return str(fitting[0].code)
    coin = await offered_coin(code)
    least = coins.minimum_in(coin, total.currency, rate)
    if least is not None and total < least:
        detail = _(
            "%(name)s takes %(least)s or more; this order is %(total)s. Choose another coin.",
            name=coin.name,
            least=least,
            total=total,
        )
        raise CoinNotOffered(detail, field="pay_currency")
    return str(coin.code)


async def offered_coin(code: str) -> Coin:
    """A coin of the list, by its code in any case. Raises CoinNotOffered."""
    offered = await queries.coins()
    coin = next((c for c in offered if c.code == code.lower().strip()), None)
    if coin is None:
        raise CoinNotOffered(
            _("Choose one of %(coins)s.", coins=", ".join(c.code for c in offered)), field="pay_currency"
        )
    return coin


async def topped_up_in(code: str, missing: Money) -> tuple[str, Money]:
    """The coin for a top-up and what to ask: what is missing, at least the coin's minimum. Raises CoinNotOffered."""
    coin = await offered_coin(code)
    rate = await rates.between(settings().shop_currency, missing.currency)
    least = coins.minimum_in(coin, missing.currency, rate)
    return str(coin.code), missing if least is None or least <= missing else least


async def open_payment(order_id: UUID, *, nowpayments: NowPayments, commit: Commit) -> None:
    """Ask the provider for an invoice and a payment on it, so that both an address and a hosted page exist."""
    order = await order_rows.one(order_id)
    if order is None or order.status not in {"created", "waiting"}:
        return
    total = Money(order.total, order.currency)
    if not total.amount:
        async with commit(), orders.changing(order_id) as locked:
            assert locked is not None
            await orders.covered(locked)
        return
    try:
        coin = await choose_coin(order.pay_currency, total)
        await _attempt(order, coin, total, None, nowpayments=nowpayments, commit=commit)
    except CoinNotOffered as refused:
        await _refused(order_id, refused.detail, commit)


async def open_top_up(order_id: UUID, coin: str, *, nowpayments: NowPayments, commit: Commit) -> None:
    """Ask for what is missing of an order that has part of its price, also after it has expired."""
    order = await order_rows.one(order_id)
    base = await queries.largest(order_id)
    if order is None or base is None or order.status not in {"underpaid", "expired"}:
        return
    missing = order.total - await queries.received(order_id)
    if missing <= 0 or given_back(order):
        async with commit(), orders.changing(order_id):
            await uses.release(order_id, UseKind.TOP_UP)
        return
    try:
        code, price = await topped_up_in(coin, Money(missing, order.currency))
        await _attempt(order, code, price, base.id, nowpayments=nowpayments, commit=commit)
    except CoinNotOffered as refused:
        await _refused(order_id, refused.detail, commit)


async def _attempt(
    order: Order, coin: str, price: Money, tops_up: UUID | None, *, nowpayments: NowPayments, commit: Commit
) -> None:
    order_id: UUID = order.id
    payment_id = await _begin(order_id, coin, price, tops_up)
    try:
        invoice, report = await _ask(order_id, coin, price, nowpayments)
    except ApiKeyRejected:
        raise  # our own account is at fault, no coin and no amount: the job is buried, and retried once that is healed
    except ProviderRefused:
        await _refused(order_id, _("The payment provider refused this coin or amount."), commit)
        return
    async with commit(), orders.changing(order_id) as now:
        await _opened(payment_id, report, invoice)
        if now and not given_back(now):
            await orders.await_payment(order_id, coin=coin, amount=plain(report.pay_amount or Decimal(0)))


def given_back(order: Order) -> bool:
    """Whether the order's money goes back, or became credit: what still arrives for it buys nothing."""
    return order.frozen_at is not None or order.choice in {"refund", "credit"}


async def _refused(order_id: UUID, why: str, commit: Commit) -> None:
    async with commit(), orders.changing(order_id):
        await uses.release(order_id, UseKind.TOP_UP)
        await history.record(order_id, "payment.refused", why=why)


async def open_merchant_payment(payment_id: UUID, *, nowpayments: NowPayments, commit: Commit) -> None:
    """Open the very payment that a merchant was answered. A refused coin ends it, and never its order.

    Asked twice, as an answer was lost, the provider has two: the row shows the second, and money on the first, whose
    address nobody was shown, is adopted.
    """
    payment = await queries.one(payment_id)
    order = await order_rows.one(payment.order_id) if payment else None
    if payment is None or order is None or payment.status != "waiting" or payment.provider_payment_id:
        return
    assert order.merchant_id is not None
    if order.status not in {"created", "waiting", "confirming", "underpaid"}:
        await _ended(payment, Failure.ORDER_CLOSED, commit)
        return
    price = Money(payment.price_amount, payment.price_currency)
    try:
        shop = await _merchant(order.merchant_id)
        invoice, report = await _ask(order.id, payment.pay_currency, price, nowpayments, **shop)
    except ApiKeyRejected:
        raise
    except ProviderRefused:
        await _ended(payment, Failure.COIN_REFUSED, commit)
        return
    async with commit(), orders.changing(order.id):
        await _opened(payment_id, report, invoice)
        data = {
            "payment_id": str(payment_id),
            "coin": payment.pay_currency,
            "amount": plain(report.pay_amount or Decimal(0)),
        }
        await history.record(order.id, "payment.offered", **data)


async def close_unopened() -> int:
    """End merchants' payments that were never opened and that no job opens any more. Returns how many."""
    rows = await db.fetch_as(
        models.Payment,
        """SELECT p.* FROM payment p JOIN customer_order o ON o.id = p.order_id
          AND o.merchant_id IS NOT NULL
           WHERE p.status = 'waiting' AND p.provider_payment_id IS NULL AND p.created_at < $1
             AND NOT EXISTS (SELECT FROM job j WHERE j.subject = o.id AND j.name = ANY($3)
                             AND j.args ->> 'payment_id' = p.id::text AND j.status IN ('pending', 'processing'))
           ORDER BY p.id LIMIT $2""",
        clock.now() - UNOPENED, CLOSED_A_TIME, aliases.names("payments.create_for_merchant"),
    )  # fmt: skip
    for row in rows:
        async with orders.changing(row.order_id):
            await end_attempt(row, PaymentStatus.EXPIRED, Failure.EXPIRED, "payment.expired")
    return len(rows)


async def _merchant(merchant_id: UUID) -> dict[str, str]:
    """Whom the provider's page names, and where it leads back to."""
    sql = "SELECT name, origins ->> 0 AS origin FROM merchant WHERE id = $1"
    seller = await db.fetch_one_as(Seller, sql, merchant_id)
    assert seller is not None
    return {"seller": seller.name, "page": seller.origin or settings().frontend_url}


async def _ended(payment: models.Payment, why: Failure, commit: Commit) -> None:
    async with commit(), orders.changing(payment.order_id):
        await end_attempt(payment, PaymentStatus.FAILED, why, "payment.failed")


async def end_attempt(payment: models.Payment, to: PaymentStatus, why: Failure, event: str) -> bool:
    """End a payment that waits without money, and its order goes on waiting. Under the order's lock."""
    also = {Payment.outcome: why.value, Payment.failure: why.value, Payment.updated_at: clock.now()}
    if await move(Payment, payment.id, to, MOVES, also=also) is None:
        return False
    await history.record(payment.order_id, event, payment_id=str(payment.id), why=why.value)
    return True


async def _ask(
    order_id: UUID, coin: str, price: Money, nowpayments: NowPayments, *, seller: str = "", page: str = ""
) -> tuple[Invoice, PaymentReport]:
    page = page or f"{settings().frontend_url}/orders/{order_id}"
    invoice = await nowpayments.create_invoice(
        price_amount=price.amount, price_currency=price.currency.lower(), order_id=str(order_id), pay_currency=coin,
        order_description=f"{seller or settings().shop_name} order {orders.short(order_id)}",
        ipn_callback_url=f"{settings().webhook_base_url}/webhooks/nowpayments/ipn",
        success_url=page, cancel_url=page, is_fixed_rate=True,
    )  # fmt: skip
    report = await nowpayments.pay_invoice(invoice.id, coin)
    if not report.pay_address or not report.pay_amount:
        raise ProviderProtocolError("nowpayments", "invoice-payment", "no address or amount in the answer")
    return invoice, report


async def _begin(order_id: UUID, coin: str, price: Money, tops_up: UUID | None) -> UUID:
    """Write our own row before asking: the provider has no idempotency, so each question is an attempt of its own.

    An attempt whose answer was lost is closed; nobody was shown its address, and should money reach it all the same,
    its notice is adopted.
    """
    payment_id, now = new_id(), clock.now()
    async with orders.changing(order_id):
        await db.fetch(
            """UPDATE payment SET status = 'expired', updated_at = $2 WHERE order_id = $1 AND status = 'waiting'
               AND provider_payment_id IS NULL""",
            order_id, now,
        )  # fmt: skip
        await queries.insert(
            {"id": payment_id, "order_id": order_id, "price_amount": price.amount, "price_currency": price.currency,
             "pay_currency": coin, "tops_up": tops_up}, now,
        )  # fmt: skip
    return payment_id


async def _opened(payment_id: UUID, report: PaymentReport, invoice: Invoice) -> None:
    now = clock.now()
    await Payment.update(
        {
            Payment.provider_payment_id: report.payment_id,
            Payment.invoice_id: invoice.id,
            Payment.invoice_url: invoice.url,
            Payment.pay_amount: report.pay_amount,
            Payment.pay_currency: report.pay_currency,
            Payment.pay_address: report.pay_address,
            Payment.memo: report.payin_extra_id,
            Payment.network: report.network,
            Payment.expires_at: report.expires_at,
            Payment.next_check_at: now + FIRST_LOOK,
            Payment.updated_at: now,
        }
    ).where(Payment.id == payment_id)
